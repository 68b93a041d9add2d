"""The calculator: exact where it can be, never hanging, and clear about what it cannot do."""

from __future__ import annotations

from typing import Any

import pytest
from amplifier_browser.calculator import CalculationError, calculate
from amplifier_browser.modules import tool_calculate
from tool_harness import ALL, asked, refused, said, tools_of


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("0.1 + 0.2", "0.3"),
        ("7 - 10", "-3"),
        ("12 / 4 * 2", "6"),
        ("-7 // 2", "-4"),
        ("7 % 3", "1"),
        ("7 mod 3", "1"),
        ("-2 ** 2", "-4"),
        ("2 ** -3", "0.125"),
        ("2 ** 100", "1267650600228229401496703205376"),
        ("1/7*7", "1"),
        ("(1 + 2) * (3 + 4)", "21"),
        ("(1+2)(3+4) + 2(5)", "31"),
        ("0.000001 * 0.0000001", "0.0000000000001"),
        ("1e3 + .5", "1000.5"),
        ("1,234,567.89 * 2", "2469135.78"),
        ("1 234 567 + 1", "1234568"),
        ("1'000 + 1", "1001"),
        ("$1,200 × 3", "3600"),
        ("12 ÷ 4 − 1", "2"),
        ("2^10", "1024"),
        ("5² + 2³", "33"),
        ("5!", "120"),
        ("factorial(20)", "2432902008176640000"),
        ("sqrt(16) + √9", "7"),
        ("sqrt(1/4)", "0.5"),
        ("log(1000)", "3"),
        ("log(8, 2)", "3"),
        ("ln(1) + exp(0)", "1"),
        ("abs(-3) + min(3, 2) + max(1,200)", "205"),
        ("round(2.5)", "3"),
        ("round(-2.5)", "-3"),
        ("round(3.14159, 2)", "3.14"),
        ("1 ** 999999999999", "1"),
    ],
)
def test_arithmetic_is_exact(expression: str, value: str) -> None:
    answer = calculate(expression)
    assert (answer.value, answer.is_exact) == (value, True)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("17.5% of 2340", "409.5"),
        ("15 percent of 80", "12"),
        ("240 + 15%", "276"),
        ("240 - 15%", "204"),
        ("(100 + 20) - 10%", "108"),
        ("100 - 20% - 10%", "72"),
        ("5% + 10%", "0.15"),
        ("100 * 5%", "5"),
        ("50%", "0.5"),
        ("20% off 50", "40"),
        ("10 % 3", "1"),
    ],
)
def test_percent_means_what_people_mean(expression: str, value: str) -> None:
    assert calculate(expression).value == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1/3", "0.333333333333"),
        ("sqrt(2)", "1.41421356237"),
        ("2 ** 0.5", "1.41421356237"),
        ("sin(pi)", "0"),
        ("sin(30°)", "0.5"),
        ("2pi", "6.28318530718"),
        ("e ** 2", "7.38905609893"),
        ("1000!", "4.0238726008e+2567"),
        ("exp(-40)", "4.24835425529e-18"),
    ],
)
def test_what_is_rounded_says_so(expression: str, value: str) -> None:
    answer = calculate(expression)
    assert (answer.value, answer.is_exact) == (value, False)
    assert str(answer) == f"{expression} ≈ {value}"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("What is 15% of 240?", "15% of 240 = 36"),
        ("15*3 = 45", "15*3 = 45"),
        ("total = 15*3", "15*3 = 45"),
        ("2+2=?", "2+2 = 4"),
        ("please calculate 3 x 4.", "3 x 4 = 12"),
        ("square root of 144", "square root of 144 = 12"),
        ("`6 * 7`", "6 * 7 = 42"),
    ],
)
def test_the_expression_is_found_in_what_is_written_around_it(text: str, answer: str) -> None:
    assert str(calculate(text)) == answer


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("1/0", "divides by zero"),
        ("5 % 0", "divides by zero"),
        ("0 ** -1", "divides by zero"),
        ("9**9**9", "too large"),
        ("2 ** 100000000", "too large"),
        ("1e999999999", "too large"),
        ("2000!", "too large"),
        ("exp(1000)", "too large"),
        ("foo(3)", "“foo” is not known"),
        ("__import__(1)", "“__import__” is not known"),
        ("lambda: 1", "“lambda” is not known"),
        ("three plus 4", "“three” is not known"),
        ("(1).real", "“.” has no place"),
        ("[1] @ 2", "“@” has no place"),
        ("3,5 + 1", "Write decimals with a point"),
        ("sin 30", "write sin(…)"),
        ("sqrt(1, 2)", "A comma has no place"),
        ("log(1, 2, 3)", "log takes"),
        ("1 2", "an operator is missing"),
        ("1 +", "no complete expression"),
        ("(1", "no complete expression"),
        ("1)", "no complete expression"),
        ("sqrt(-1)", "no real number"),
        ("(-8) ** (1/3)", "no real number"),
        ("tan(90°)", "no real number"),
        ("ln(0)", "no real number"),
        ("0.5!", "whole numbers"),
        ("", "nothing to calculate"),
        ("hello", "nothing to calculate"),
        ("1+" * 200 + "1", "longer than 300 characters"),
        ("(" * 60 + "1" + ")" * 60, "Too many parentheses"),
    ],
)
def test_what_cannot_be_calculated_says_why(expression: str, reason: str) -> None:
    with pytest.raises(CalculationError, match=reason.replace("(", r"\(").replace(")", r"\)").replace(".", r"\.")):
        calculate(expression)


async def test_the_tool_answers_in_one_line_and_asks_nobody() -> None:
    tool = (await tools_of(tool_calculate, None))["calculate"]
    assert said(await tool.execute({"expression": "17.5% of 2340"})) == "17.5% of 2340 = 409.5"
    assert "divides by zero" in refused(await tool.execute({"expression": "1/0"}))
    assert tool.traits.permission({"expression": "1"}).free
    assert tool.traits.is_trusted


@pytest.mark.parametrize(
    ("prompt", "arguments"),
    [
        ("what's 15% of 80", {"expression": "15% of 80"}),
        ("What is 12 * (3 + 4)?", {"expression": "12 * (3 + 4)"}),
        ("how much is 240 + 15%?", {"expression": "240 + 15%"}),
        ("Please calculate 17.5% of 2,340.", {"expression": "17.5% of 2,340."}),
        ("(1+2)*3", {"expression": "(1+2)*3"}),
        ("-3 * 4 =", {"expression": "-3 * 4"}),
        ("sqrt(2)?", {"expression": "sqrt(2)"}),
        ("what is 3 plus 4", {"expression": "3 plus 4"}),
        ("20% off 50", {"expression": "20% off 50"}),
        ("/calculate 6 * 7", {"expression": "6 * 7"}),
        ("Calculate the tip of 18 percent on a bill of $54", None),
        ("could you work out how many seconds 3 days have", None),
        ("What is a 20% tip on a 54 dollar bill?", None),
    ],
)
def test_asked_by(prompt: str, arguments: dict[str, Any] | None) -> None:
    found = asked(prompt)
    assert found
    name, said_arguments = found
    expected = {key: value.strip(" .") for key, value in (arguments or {}).items()}
    assert name == "calculate"
    assert {key: value.strip(" .") for key, value in (said_arguments or {}).items()} == expected


@pytest.mark.parametrize("prompt", ["what's 15% of 80", "(1+2)*3", "2+2=?", "please 3 x 4"])
async def test_what_the_user_said_can_be_calculated(prompt: str) -> None:
    found = asked(prompt)
    assert found and found[1]
    assert said(await ALL["calculate"].execute(found[1]))


@pytest.mark.parametrize(
    "prompt",
    [
        "What is 2024?",
        "100",
        "What happened on 2024-05-01?",
        "12/05/2024",
        "+44 20 7946 0958",
        "Calculate the meaning of life.",
        "What is the 3rd law of motion?",
        "Explain the equation E = mc^2",
        "Is 7 a prime number?",
        "2/3 of the people agreed, why?",
    ],
)
def test_not_asked_by(prompt: str) -> None:
    assert asked(prompt) is None
