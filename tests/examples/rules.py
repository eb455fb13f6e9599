"""What AWX accepts as a survey and as the rule of a schedule. What it answers with a 400 is a complaint here.

Written after AWX 24.6.1: `JobTemplateSurveySpec` in `awx/api/views` and `SchedulePreviewSerializer` in
`awx/api/serializers.py`.
"""

from __future__ import annotations

import datetime
import re
import typing as t

from dateutil import rrule, tz

# The type of a question, and that of its default.
_QUESTIONS: dict[str, type[t.Any]] = {
    "float": float,
    "integer": int,
    "multiplechoice": str,
    "multiselect": str,
    "password": str,
    "text": str,
    "textarea": str,
}
_WITH_CHOICES = ("multiplechoice", "multiselect")
# A misspelled key is no error for AWX. It is one here.
_KEYS = frozenset(
    {
        "choices",
        "default",
        "max",
        "min",
        "question_description",
        "question_name",
        "required",
        "type",
        "variable",
    }
)


def survey_complaints(survey: t.Mapping[str, t.Any]) -> list[str]:
    """What is wrong with a survey; empty for a good one."""
    missing = [f"{key} is missing" for key in ("name", "description", "spec") if key not in survey]
    if missing or not isinstance(survey["spec"], list) or not survey["spec"]:
        return missing or ["the survey has no questions"]
    found: list[str] = []
    names: set[str] = set()
    for question in survey["spec"]:
        name = question.get("variable", "a question without variable")
        found += [f"{name}: {complaint}" for complaint in _question_complaints(question)]
        if name in names:
            found.append(f"{name} is asked twice")
        names.add(name)
    return found


def _question_complaints(question: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    for key in ("type", "question_name", "variable", "required"):
        if key not in question:
            yield f"{key} is missing"
            return
    yield from (f"{key} is no key of a question" for key in sorted(set(question) - _KEYS))
    kind = _QUESTIONS.get(question["type"])
    if kind is None:
        yield f"there is no type {question['type']}"
        return
    if not isinstance(question["required"], bool):
        yield "required is not a boolean"
    choices = question.get("choices")
    if question["type"] in _WITH_CHOICES:
        if not choices or not all(isinstance(choice, str) for choice in choices):
            yield "choices must be texts"
            return
    elif choices is not None:
        yield "choices are for choices only"
    yield from (f"{key} is not a number" for key in ("min", "max") if not isinstance(question.get(key, 0), int))
    yield from _default_complaints(question, kind)


def _default_complaints(question: t.Mapping[str, t.Any], kind: type[t.Any]) -> t.Iterator[str]:
    default: t.Any = question.get("default", "")
    if default == "":
        return
    # For Python, true is a number as well.
    if not isinstance(default, kind) or isinstance(default, bool):
        yield f"the default is not a {kind.__name__}"
        return
    if question["type"] in _WITH_CHOICES:
        # Several defaults stand on lines of their own.
        if not set(default.split("\n")) <= set(question["choices"]):
            yield "the default is not one of the choices"
        return
    size = len(default) if kind is str else default
    if not question.get("min", size) <= size <= question.get("max", size):
        yield "the default is not between min and max"


_START = re.compile(r"DTSTART(;TZID=(?P<zone>[^:\s]+))?:(?P<time>\d{8}T\d{6})(?P<utc>Z?)(?=\s|$)")
_REFUSED = {
    "EXDATE:": "EXDATE is not allowed",
    "RDATE:": "RDATE is not allowed",
    "FREQ=SECONDLY": "SECONDLY is not supported",
}


def rule_complaints(text: str) -> list[str]:
    """What is wrong with the rule of a schedule; empty for a good one."""
    starts = list(_START.finditer(text))
    if len(starts) != 1 or text.count("DTSTART") != 1:
        return ["one DTSTART is needed"]
    start, found = starts[0], []
    if bool(start["zone"]) == bool(start["utc"]):
        found.append("DTSTART needs a time zone: either TZID, or a Z at the end")
    elif start["zone"] and tz.gettz(start["zone"]) is None:
        found.append(f"there is no time zone {start['zone']}")
    rules = re.findall(r"(?:EX)?RULE:\S+|RRULE:\S+", text)
    if not rules:
        found.append("a rule is needed")
    for rule in rules:
        if "INTERVAL=" not in rule:
            found.append("INTERVAL is needed")
        if "COUNT=" in rule and "UNTIL=" in rule:
            found.append("either COUNT or UNTIL")
        if re.search(r"BYDAY=[^;]*\d", rule):
            found.append("BYDAY with a number is not supported")
    found += [complaint for word, complaint in _REFUSED.items() if word in text.upper()]
    return found or _unreadable(text)


def first_run(text: str) -> datetime.datetime:
    """When a schedule with this rule runs for the first time.

    :raises ValueError: the rule cannot be read, or never comes true.
    """
    for time in rrule.rrulestr(text.replace(" ", "\n")):
        return t.cast(datetime.datetime, time)
    raise ValueError("the rule never comes true")


def _unreadable(text: str) -> list[str]:
    try:
        first_run(text)
    except ValueError as exc:
        return [str(exc)]
    return []
