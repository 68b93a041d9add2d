"""Arithmetic as people write it, exact where that is possible. Nothing is evaluated but numbers, operators and known functions.

An expression is first written anew as Python (percent, ×, thousands separators, 2(3+4)), then read by `ast`.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

Number = Fraction | float  # a float is an approximation

MOST_CHARACTERS = 300
MOST_DEPTH = 30
MOST_BITS = 12_000  # of a numerator or denominator: about 3,600 digits
MOST_FACTORIAL = 1000
EXACT_DIGITS = 40  # longer whole numbers are shown rounded
ROUNDED_DIGITS = 12
WAVE_DIGITS = 15  # sin(pi) is 1.2e-16 only because pi is rounded

TOO_LARGE = "The result is too large to work out. Use smaller numbers."
EXAMPLE = "Write an expression such as 12 * (3 + 4) or 15% of 80."


class CalculationError(Exception):
    """The expression cannot be calculated; its text says why and what to do."""


@dataclass(frozen=True)
class Answer:
    """A calculated expression, as it was meant, and its value in decimal."""

    expression: str
    value: str
    is_exact: bool

    def __str__(self) -> str:
        return f"{self.expression} {'=' if self.is_exact else '≈'} {self.value}"


def calculate(text: str) -> Answer:
    """Calculates what `text` asks for; raises CalculationError."""
    expression = _expression(text)
    source = _Translation(expression).python()
    try:
        tree = ast.parse(source, mode="eval")
        value = _evaluate(tree.body, source)
    except ZeroDivisionError:
        raise CalculationError("That divides by zero. Change the divisor and calculate again.") from None
    except OverflowError:
        raise CalculationError(TOO_LARGE) from None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise CalculationError(f"“{expression}” is no complete expression. {EXAMPLE}") from None
    return Answer(expression, *_decimal(value))


# ---- from what people write to Python

_ASKED = re.compile(
    r"(?:please|what(?:['’]s| is| are)|how much (?:is|are)|calculate|compute|evaluate|work out|solve|the value of|\s)+",
    re.I,
)
_WORDS = [
    (re.compile(pattern, re.I), symbol)
    for pattern, symbol in (
        (r"(?:\b(?:the )?square root of |√ ?)(\d[\d.,]*)", r"sqrt(\1)"),
        (r"\b(?:multiplied by|times)\b", "*"),
        (r"\bdivided by\b", "/"),
        (r"\b(?:raised )?to the power of\b", "**"),
        (r"\bplus\b", "+"),
        (r"\bminus\b", "-"),
        (r"\bmod(?:ulo)?\b", " mod "),
        (r"\s*\bper ?cent\b", "%"),
        (r"\bsquared\b", "**2"),
        (r"\bcubed\b", "**3"),
        (r"(?<=[\d)])\s*x\s*(?=[\d(.])", "*"),
        (r"[$€£¥]", ""),
    )
]
_SYMBOLS = str.maketrans(
    {"×": "*", "·": "*", "⋅": "*", "÷": "/", "∕": "/", "−": "-", "–": "-", "—": "-", "^": "**", "[": "(", "]": ")", "\u00a0": " "}
    | {
        "\u202f": " ",
        "\u2009": " ",
        "'": ",",
        "’": ",",
        "π": " pi ",
        "√": "sqrt",
        "²": "**2",
        "³": "**3",
        "½": "(1/2)",
        "¼": "(1/4)",
    }
)


def _expression(text: str) -> str:
    """The expression within a question, on one line, without what follows an equals sign."""
    if len(text) > MOST_CHARACTERS:
        raise CalculationError(f"The expression is longer than {MOST_CHARACTERS} characters. Calculate it in parts.")
    asked = _ASKED.match(text)
    line = " ".join(text[asked.end() if asked else 0 :].strip(" \t\n`?").split()).rstrip(".;?")
    sides = [side.strip() for side in line.split("=") if re.search(r"\d|\bpi\b|π|\be\b", side)]
    if not sides:
        raise CalculationError(f"There is nothing to calculate. {EXAMPLE}")
    return sides[0]


_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:[,_ ]\d{3})+(?![\d])|\d+)(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<operator>\*\*|//|[-+*/%(),!°]))"
)
_SEVERAL_ARGUMENTS = ("max", "min", "round", "log")  # in whose parentheses a comma is between arguments


@dataclass
class _Translation:
    """One expression on its way to Python. Percent and factorial become attributes, which bind as tightly as they do."""

    expression: str
    out: list[str] = field(default_factory=list)
    parentheses: list[str] = field(default_factory=list)  # open ones, by the function in front
    last: str = ""  # the kind of the last token: a value, a name or an operator

    def python(self) -> str:
        """The expression in Python."""
        text = self.expression
        for pattern, symbol in _WORDS:
            text = pattern.sub(symbol, text)
        text = text.translate(_SYMBOLS).strip()
        at = 0
        while at < len(text):
            token = self._token(text, at)
            if token is None:
                raise CalculationError(f"“{text[at:].strip()[0]}” has no place in an expression. {EXAMPLE}")
            at = token.end()
            self._take(token, text[at:].lstrip())
        return " ".join(self.out)

    def _token(self, text: str, at: int) -> re.Match[str] | None:
        token = _TOKEN.match(text, at)
        if token and token["number"] and any(name in _SEVERAL_ARGUMENTS for name in self.parentheses[-1:]):
            return _TOKEN.match(
                text, at, len(text) if "," not in token["number"] else token.start("number") + token["number"].index(",")
            )
        return token

    def _take(self, token: re.Match[str], rest: str) -> None:
        if number := token["number"]:
            self._value(re.sub(r"[,_ ]", "", number))
        elif name := token["name"]:
            self._name(name.lower(), rest)
        else:
            self._operator(token["operator"], rest)

    def _value(self, source: str) -> None:
        if self.last == "value":
            raise CalculationError(f"Between two numbers of “{self.expression}” an operator is missing. {EXAMPLE}")
        self.out.append(source)
        self.last = "value"

    def _name(self, name: str, rest: str) -> None:
        if name in ("of", "mod", "off"):
            self._word(name)
        elif name in FUNCTIONS and not rest.startswith("("):
            raise CalculationError(f"{name} needs its number in parentheses: write {name}(…).")
        elif name in CONSTANTS or name in FUNCTIONS:
            if self.last == "value":
                self.out.append("*")
            self.out.append(name)
            self.last = "value" if name in CONSTANTS else "name"
        else:
            known = "sqrt, sin, cos, tan, log, ln, exp, abs, round, min, max, factorial, pi and e"
            raise CalculationError(f"“{name}” is not known here. Use numbers, + - * / % and {known}.")

    def _word(self, name: str) -> None:
        if name == "off" and self.out[-1:] == [".percent"]:
            self.out[-1] = ".off"
        self.out.append("%" if name == "mod" else "*")
        self.last = "operator"

    def _operator(self, operator: str, rest: str) -> None:
        if operator == "(":
            if self.last == "value":
                self.out.append("*")
            self.parentheses.append(self.out[-1] if self.last == "name" else "")
            if len(self.parentheses) > MOST_DEPTH:
                raise CalculationError("Too many parentheses within one another. Calculate it in parts.")
        elif operator == ")" and self.parentheses:
            self.parentheses.pop()
        elif operator == "," and self.parentheses[-1:] not in [[name] for name in _SEVERAL_ARGUMENTS]:
            raise CalculationError("A comma has no place here. Write decimals with a point, as 3.5, and thousands as 1,000.")
        postfix = {"%": ".percent", "!": ".factorial", "°": ".degrees"}.get(operator)
        if (
            postfix
            and self.last == "value"
            and not (operator == "%" and re.match(r"[\d.(]|(?!of\b|off\b|mod\b)[a-z]", rest, re.I))
        ):
            operator = postfix
        self.out.append(operator)
        self.last = "value" if operator == ")" or operator == postfix else "operator"


# ---- from Python to a number


def _evaluate(node: ast.expr, source: str) -> Number:
    return _checked(_value_of(node, source))


def _value_of(node: ast.expr, source: str) -> Number:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return _literal(ast.get_source_segment(source, node) or "")
    if isinstance(node, ast.Name) and node.id in CONSTANTS:
        return CONSTANTS[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        value = _evaluate(node.operand, source)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.Attribute) and node.attr in POSTFIXES:
        return POSTFIXES[node.attr](_evaluate(node.value, source))
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return _binary(node, source)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
        return _called(node.func.id, [_evaluate(argument, source) for argument in node.args])
    raise SyntaxError


def _literal(text: str) -> Fraction:
    exponent = re.search(r"[eE][+-]?(\d+)$", text)
    if exponent and len(exponent[1]) > 3:
        raise OverflowError
    return Fraction(text)


def _binary(node: ast.BinOp, source: str) -> Number:
    left, right = _evaluate(node.left, source), _evaluate(node.right, source)
    # "240 + 15%" is 15% of 240 more, as on any pocket calculator; "5% + 10%" is 15%.
    if isinstance(node.op, (ast.Add, ast.Sub)) and _is_percent(node.right) and not _is_percent(node.left):
        right = left * right
    return OPERATORS[type(node.op)](left, right)


def _is_percent(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "percent"


def _called(name: str, arguments: list[Number]) -> Number:
    function, least, most = FUNCTIONS[name]
    if not least <= len(arguments) <= most:
        raise CalculationError(f"{name} takes {least if least == most else f'{least} or more'} numbers, not {len(arguments)}.")
    try:
        return function(*arguments)
    except ValueError:
        said = ", ".join(_decimal(argument)[0] for argument in arguments)
        raise CalculationError(f"{name} of {said} is no real number. Change it and calculate again.") from None


def _checked(value: Number) -> Number:
    if isinstance(value, Fraction):
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_BITS:
            raise OverflowError
    elif not math.isfinite(value):
        raise OverflowError
    return value


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction):
        if exponent.denominator == 1:
            return _whole_power(base, exponent.numerator)
        if exponent == Fraction(1, 2):
            return _root(base)
    result = float(base) ** float(exponent)
    if isinstance(result, complex):
        raise CalculationError("A root of a negative number is no real number. Change it and calculate again.")
    return result


def _whole_power(base: Fraction, exponent: int) -> Fraction:
    if abs(base) == 1:
        return base if exponent % 2 else Fraction(1)
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if base and bits * abs(exponent) > MOST_BITS:
        raise OverflowError
    return Fraction(base**exponent)


def _root(value: Number) -> Number:
    if value < 0:
        raise CalculationError("The square root of a negative number is no real number. Change it and calculate again.")
    if isinstance(value, Fraction):
        root = Fraction(math.isqrt(value.numerator), math.isqrt(value.denominator))
        if root * root == value:
            return root
    return math.sqrt(value)


def _factorial(value: Number) -> Number:
    if not isinstance(value, Fraction) or value.denominator != 1 or value < 0:
        raise CalculationError("The factorial is there for whole numbers from 0 on. Use such a number.")
    if value > MOST_FACTORIAL:
        raise OverflowError
    return Fraction(math.factorial(value.numerator))


def _rounded(value: Number, digits: Number = Fraction(0)) -> Number:
    """Halves go away from zero, as people round."""
    if not isinstance(digits, Fraction) or digits.denominator != 1 or abs(digits) > 50:
        raise CalculationError("Round to a whole number of digits.")
    scale = Fraction(10) ** digits.numerator
    scaled = abs(Fraction(value)) * scale
    return math.floor(scaled + Fraction(1, 2)) / scale * (-1 if value < 0 else 1)


def _logarithm(value: Number, base: Number = Fraction(10)) -> Number:
    """Base 10 unless said otherwise, as on a pocket calculator."""
    if value <= 0 or base <= 0 or base == 1:
        raise ValueError
    result = math.log10(value) if base == 10 else math.log2(value) if base == 2 else math.log(value) / math.log(base)
    power = round(result)
    if (
        isinstance(value, Fraction)
        and isinstance(base, Fraction)
        and abs(power) < 1000
        and _power(base, Fraction(power)) == value
    ):
        return Fraction(power)
    return result


def _wave(function: Callable[[float], float]) -> Callable[[Number], Number]:
    def wave(value: Number) -> Number:
        result = function(float(value))
        if abs(result) > 1e15:
            raise ValueError  # the tangent of a right angle
        return round(result, WAVE_DIGITS)

    return wave


def _absolute(value: Number) -> Number:
    return abs(value)


def _natural(value: Number) -> Number:
    return Fraction(0) if value == 1 else math.log(value)


def _exponential(value: Number) -> Number:
    return Fraction(1) if value == 0 else math.exp(value)


CONSTANTS: dict[str, Number] = {"pi": math.pi, "e": math.e, "tau": math.tau}
FUNCTIONS: dict[str, tuple[Callable[..., Number], int, int]] = {  # with the least and the most arguments
    "sqrt": (_root, 1, 1),
    "sin": (_wave(math.sin), 1, 1),
    "cos": (_wave(math.cos), 1, 1),
    "tan": (_wave(math.tan), 1, 1),
    "log": (_logarithm, 1, 2),
    "log10": (_logarithm, 1, 1),
    "log2": (lambda value: _logarithm(value, Fraction(2)), 1, 1),
    "ln": (_natural, 1, 1),
    "exp": (_exponential, 1, 1),
    "abs": (_absolute, 1, 1),
    "round": (_rounded, 1, 2),
    "min": (min, 1, 50),
    "max": (max, 1, 50),
    "factorial": (_factorial, 1, 1),
}
OPERATORS: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: Fraction(a // b),
    ast.Mod: lambda a, b: a % b,
    ast.Pow: _power,
}
POSTFIXES: dict[str, Callable[[Number], Number]] = {
    "percent": lambda value: value / 100,
    "off": lambda value: 1 - value / 100,
    "degrees": lambda value: value * math.pi / 180,
    "factorial": _factorial,
}


# ---- from a number to decimal digits


def _decimal(value: Number) -> tuple[str, bool]:
    """The value in decimal, and whether that is exact."""
    if not isinstance(value, Fraction):
        return _rounded_text(value), False
    if value.denominator == 1 and len(text := str(value.numerator)) <= EXACT_DIGITS:
        return text, True
    if (places := _places(value)) is not None and places <= ROUNDED_DIGITS + 3 and abs(value) < 10**15:
        digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
        return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}", True
    return _rounded_text(value), False


def _places(value: Fraction) -> int | None:
    """Digits after the decimal point; None if they do not end."""
    rest, counts = value.denominator, {2: 0, 5: 0}
    for factor in counts:
        while rest % factor == 0:
            rest //= factor
            counts[factor] += 1
    return max(counts.values()) if rest == 1 else None


def _rounded_text(value: Number) -> str:
    """With so many digits as are surely right; very large and small ones as 1.5e+40."""
    if not isinstance(value, Fraction):
        return f"{value:.{ROUNDED_DIGITS}g}"
    exponent = math.floor(_magnitude(value))
    if -300 < exponent < 300:
        return f"{float(value):.{ROUNDED_DIGITS}g}"
    mantissa = float(value / Fraction(10) ** exponent)
    return f"{mantissa:.{ROUNDED_DIGITS - 1}g}e{exponent:+d}"


def _magnitude(value: Fraction) -> float:
    return math.log10(abs(value.numerator)) - math.log10(value.denominator) if value else 0.0
