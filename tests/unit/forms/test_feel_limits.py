"""What is hostile ends: too long, too large, too deep; and threads do not meet."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from forms.feel import (
    Expression,
    FeelFailed,
    FeelLimit,
    Pattern,
    Template,
    UnaryTest,
    evaluate,
    evaluate_many,
    is_match,
)
from forms.feel.evaluation import Answer, find_variable_names

CATASTROPHE = Pattern("^(a+)+$", "a" * 40 + "!")


def kinds(answers: list[Answer]) -> list[Any]:
    return [type(answer) if isinstance(answer, FeelFailed) else answer for answer in answers]


def test_a_catastrophic_pattern_ends_and_the_next_call_works() -> None:
    with pytest.raises(FeelLimit, match="too long"):
        is_match(CATASTROPHE.source, CATASTROPHE.text)
    assert is_match("^a+$", "aaa")


def test_a_catastrophic_pattern_within_feel_ends_too() -> None:
    with pytest.raises(FeelLimit):
        evaluate('=matches(text, "^(a+)+$")', {"text": CATASTROPHE.text})


@pytest.mark.parametrize(
    "source",
    [
        "=count(for i in 1..100000000 return i)",
        '=count(for i in 1..3000000 return "aaaaaaaaaaaaaaaaaaaa" + string(i))',
        '=for i in 1..40 return if i = 1 then "aaaaaaaaaa" else partial[-1] + partial[-1]',
        "=" + "(" * 1000 + "1" + ")" * 1000,
        "=" + "+".join(["1"] * 20_000),
        "=" + "[" * 100_000,
    ],
)
def test_what_takes_too_much_ends_and_the_next_call_works(source: str) -> None:
    begun = time.process_time()
    with pytest.raises(FeelLimit):
        evaluate(source, {})
    assert time.process_time() - begun < 4
    assert evaluate("=1 + 1", {}) == 2


def test_request_at_the_limit_fails_and_the_rest_goes_on() -> None:
    answers = evaluate_many([Expression("=1"), CATASTROPHE, Expression("=2"), UnaryTest("=true")], {})
    assert kinds(answers) == [1, FeelLimit, 2, True]


def test_a_batch_gives_up_after_two_limits() -> None:
    answers = evaluate_many([CATASTROPHE, Expression("=1"), CATASTROPHE, Expression("=2"), CATASTROPHE], {})
    assert kinds(answers) == [FeelLimit, 1, FeelLimit, FeelLimit, FeelLimit]


def test_data_nested_too_deeply_fails_and_the_next_call_works() -> None:
    nested: Any = []
    for _ in range(100_000):
        nested = [nested]
    assert kinds(evaluate_many([Expression("=1"), Expression("=2")], {"a": nested})) == [FeelLimit, FeelLimit]
    shallow: Any = []
    for _ in range(500):
        shallow = [shallow]
    first, second = evaluate_many([Expression("=a"), Expression("=2")], {"a": shallow})
    assert isinstance(first, FeelFailed)
    assert second == 2


def test_much_data_is_no_reason_to_fail() -> None:
    rows = [{"name": f"row {n}", "n": n} for n in range(5_000)]
    assert evaluate("=count(rows[n > 4000])", {"rows": rows}) == 999


def test_names_of_a_hostile_text_end_too() -> None:
    with pytest.raises(FeelLimit):
        find_variable_names(Expression("=" + "(" * 100_000))
    assert find_variable_names(Expression("=a")) == {"a"}


def test_thousands_of_expressions_do_not_fill_memory() -> None:
    for start in range(0, 2_000, 250):
        texts = [Expression(f"=if value > {n} then 0 else {n} + 1") for n in range(start, start + 250)]
        assert evaluate_many(texts, {"value": -1, f"key{start}": 1}) == list(range(start + 1, start + 251))


def test_threads_answer_their_own_questions() -> None:
    ready = threading.Barrier(4)

    def ask(number: int) -> list[list[Answer]]:
        ready.wait()
        requests = [Expression("=n + 1"), Template("n is {{n}}"), UnaryTest("=n > 2")]
        return [evaluate_many(requests, {"n": number}) for _ in range(100)]

    with ThreadPoolExecutor(4) as pool:
        for number, answers in enumerate(pool.map(ask, range(4))):
            assert answers == [[number + 1, f"n is {number}", number > 2]] * 100


def test_a_limit_in_one_thread_leaves_the_others_scripts() -> None:
    def ask(number: int) -> list[Any]:
        return kinds(evaluate_many([CATASTROPHE if number == 0 else Expression("=n")], {"n": number}))

    for _ in range(2):
        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(ask, range(3))) == [[FeelLimit], [1], [2]]


def test_threads_that_come_and_go_take_their_scripts_with_them() -> None:
    for number in range(60):
        told: list[Answer] = []
        thread = threading.Thread(target=lambda told=told, number=number: told.append(evaluate("=n", {"n": number})))
        thread.start()
        thread.join()
        assert told == [number]
