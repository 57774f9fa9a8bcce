"""What Redis does in one step for a draft. A draft is a hash; the schemas, the index and the stream are beside it."""

__all__ = ["CLOSE", "DROP", "OPEN", "SAVE", "SHOWN"]

_ANNOUNCE = """
local function announce(draft, stream, id, revision, status, by, cap)
  -- Only where somebody else shows the draft: a form that one surface fills makes no noise.
  for _, name in ipairs(redis.call('HKEYS', draft)) do
    if string.sub(name, 1, 2) == 's:' and name ~= 's:' .. by then
      redis.call('XADD', stream, 'MAXLEN', '~', cap, '*',
        'session', id, 'revision', revision, 'status', status, 'by', by)
      return
    end
  end
end
"""

OPEN = """
-- KEYS: index, draft, schema.
-- ARGV: user, id, prefix of drafts, opened, variables, state, form hash, schema, revision, life in ms.
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and redis.call('EXISTS', ARGV[3] .. known) == 1 then return known end
if redis.call('EXISTS', KEYS[2]) == 1 then return false end
redis.call('HSET', KEYS[2], 'opened', ARGV[4], 'variables', ARGV[5], 'state', ARGV[6], 'schema', ARGV[7],
  'revision', ARGV[9], 'status', 'draft')
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('SET', KEYS[3], ARGV[8], 'PX', ARGV[10])
redis.call('PEXPIRE', KEYS[1], ARGV[10])
redis.call('PEXPIRE', KEYS[2], ARGV[10])
return ARGV[2]
"""

SAVE = (
    _ANNOUNCE
    + """
-- KEYS: draft, index, schema, stream.
-- ARGV: id, expected revision, revision, state, status, busy until, life in ms, by, cap of the stream,
-- and for a form that has changed: opened, variables, form hash, schema.
local revision = redis.call('HGET', KEYS[1], 'revision')
if not revision then return 'gone' end
if revision ~= ARGV[2] then return 'conflict' end
redis.call('HSET', KEYS[1], 'revision', ARGV[3], 'state', ARGV[4], 'status', ARGV[5], 'busy', ARGV[6])
if ARGV[5] == 'submitting' then redis.call('HSET', KEYS[1], 'tried', '1') end
if ARGV[10] then
  redis.call('HSET', KEYS[1], 'opened', ARGV[10], 'variables', ARGV[11], 'schema', ARGV[12])
  redis.call('SET', KEYS[3], ARGV[13])
end
redis.call('PEXPIRE', KEYS[1], ARGV[7])
redis.call('PEXPIRE', KEYS[2], ARGV[7])
redis.call('PEXPIRE', KEYS[3], ARGV[7])
announce(KEYS[1], KEYS[4], ARGV[1], ARGV[3], ARGV[5], ARGV[8], ARGV[9])
return 'saved'
"""
)

CLOSE = (
    _ANNOUNCE
    + """
-- KEYS: draft, index, stream.
-- ARGV: id, status, who, when, life in ms, by, cap of the stream, user to forget or '', kind of surface or ''.
local status = redis.call('HGET', KEYS[1], 'status')
if not status then return 'gone' end
if redis.call('HEXISTS', KEYS[1], 'closed_at') == 1 then return 'closed' end
local revision = redis.call('HINCRBY', KEYS[1], 'revision', 1)
redis.call('HDEL', KEYS[1], 'variables', 'state', 'busy')
redis.call('HSET', KEYS[1], 'status', ARGV[2], 'closed_by', ARGV[3], 'closed_at', ARGV[4], 'closed_on', ARGV[9])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
if ARGV[8] ~= '' and redis.call('HGET', KEYS[2], ARGV[8]) == ARGV[1] then
  redis.call('HDEL', KEYS[2], ARGV[8])
end
announce(KEYS[1], KEYS[3], ARGV[1], revision, ARGV[2], ARGV[6], ARGV[7])
return 'now'
"""
)

DROP = """
-- KEYS: draft, index. ARGV: id, user, the revision that it must have.
local revision = redis.call('HGET', KEYS[1], 'revision')
if revision and revision ~= ARGV[3] then return 'conflict' end
redis.call('DEL', KEYS[1])
if redis.call('HGET', KEYS[2], ARGV[2]) == ARGV[1] then redis.call('HDEL', KEYS[2], ARGV[2]) end
return 'dropped'
"""

SHOWN = """
-- KEYS: draft. ARGV: the surface that shows it, and the one that does not any more; '' for none.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if ARGV[2] ~= '' then redis.call('HDEL', KEYS[1], ARGV[2]) end
if ARGV[1] ~= '' then redis.call('HSET', KEYS[1], ARGV[1], '1') end
return 1
"""
