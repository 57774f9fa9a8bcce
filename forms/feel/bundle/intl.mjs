// QuickJS has no Intl, and luxon cannot work without: this much of it says "English, and the zone of the caller".
// Dates take their offset from the caller's clock (see entry.mjs). A zone asked for by name is refused but for UTC,
// and luxon makes an invalid date of that, which FEEL shows as null.
const RESOLVED = { locale: 'en-US', calendar: 'gregory', numberingSystem: 'latn', timeZone: 'UTC' };

class DateTimeFormat {
  constructor(_locale, { timeZone = 'UTC' } = {}) {
    if (!/^(etc\/)?(utc|gmt)$/i.test(timeZone)) throw new RangeError(`Invalid time zone specified: ${timeZone}`);
  }
  resolvedOptions() { return { ...RESOLVED }; }
  format(date) { return new Date(date ?? Date.now()).toISOString(); }
  formatToParts(date) {
    const at = new Date(date);
    const parts = {
      year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate(),
      hour: at.getUTCHours(), minute: at.getUTCMinutes(), second: at.getUTCSeconds(), era: 'AD',
    };
    return Object.entries(parts).map(([ type, value ]) => ({ type, value: String(value) }));
  }
}

class NumberFormat {
  resolvedOptions() { return { ...RESOLVED }; }
  format(number) { return String(number); }
}

globalThis.Intl ??= { DateTimeFormat, NumberFormat };
