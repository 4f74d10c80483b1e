"""Filter patterns and Logs Insights queries, as far as ours use them: moto has neither."""

import re

TOKEN = re.compile(r'\s*(\|\||&&|\(|\)|IS TRUE|IS FALSE|!=|>=|<=|=|>|<|"[^"]*"|-?\d+(?:\.\d+)?|\$\.[\w.]+|\{|\})')


class Bad(Exception):
    pass


def at(event, path):
    for part in path.split("."):
        event = event.get(part) if isinstance(event, dict) else None
    return event


def compared(left, sign, right):
    if left is None:
        return False
    try:
        return {"=": left == right, "!=": left != right, ">": left > right, "<": left < right, ">=": left >= right, "<=": left <= right}[sign]
    except TypeError:
        return False


def literal(text):
    return text[1:-1] if text[0] in "\"'" else float(text)


def pattern(text):
    """A JSON filter pattern as a function of an event."""
    tokens, position = [], 0
    while position < len(text.rstrip()):
        match = TOKEN.match(text, position)
        if not match:
            raise Bad(f"Invalid filter pattern at {text[position:]}")
        tokens.append(match[1])
        position = match.end()
    if tokens[:1] != ["{"] or tokens[-1:] != ["}"]:
        raise Bad("Invalid filter pattern: not a JSON pattern")
    tokens = tokens[1:-1]

    def joined(sign, part, rule):
        terms = [part()]
        while tokens and tokens[0] == sign:
            tokens.pop(0)
            terms.append(part())
        return lambda event: rule(term(event) for term in terms)

    def either():
        return joined("||", lambda: joined("&&", one, all), any)

    def one():
        if tokens[0] == "(":
            tokens.pop(0)
            inner = either()
            if not tokens or tokens.pop(0) != ")":
                raise Bad("Invalid filter pattern: a bracket is not closed")
            return inner
        path, sign = tokens.pop(0), tokens.pop(0)
        if not path.startswith("$."):
            raise Bad(f"Invalid filter pattern: {path} is no selector")
        if sign in ("IS TRUE", "IS FALSE"):
            return lambda event: at(event, path[2:]) is (sign == "IS TRUE")
        value = literal(tokens.pop(0))
        return lambda event: compared(at(event, path[2:]), sign, value)

    made = either()
    if tokens:
        raise Bad(f"Invalid filter pattern: what is {tokens[0]}?")
    return made


STATS = {
    "max": max, "min": min, "sum": sum, "avg": lambda values: sum(values) / len(values), "latest": lambda values: values[-1],
    "count": len,
}
BIN_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def shown(value):
    return f"{value:g}" if isinstance(value, float) else "1" if value is True else "0" if value is False else str(value)


def run(query, events):
    """Rows ([{field, value}]) of a query over [(epoch ms, event)], oldest first."""
    rows, is_table = [dict(event, **{"@timestamp": t}) for t, event in events], False
    fields = ["@timestamp"]
    for command in [part.strip() for part in query.split("|") if part.strip()]:
        verb, _, rest = command.partition(" ")
        if verb == "fields":
            fields = [name.strip() for name in rest.split(",")]
        elif verb == "filter":
            match = re.fullmatch(r"([\w.]+)\s*(?:in\s*\[(.*)\]|=\s*(.+))", rest.strip())
            if not match:
                raise Bad(f"malformed filter: {rest}")
            allowed = [literal(word.strip()) for word in (match[2] or match[3]).split(",")]
            rows = [row for row in rows if at(row, match[1]) in allowed]
        elif verb == "stats":
            rows, fields, is_table = stats(rest, rows), None, True
        elif verb == "sort":
            name, _, order = rest.strip().partition(" ")
            known = [row for row in rows if at(row, name) is not None]
            rows = sorted(known, key=lambda row: at(row, name), reverse=order == "desc") + [r for r in rows if at(r, name) is None]
        elif verb == "limit":
            rows = rows[:int(rest)]
        else:
            raise Bad(f"unknown command {verb}")
    if is_table:
        return [[{"field": k, "value": shown(v)} for k, v in row.items() if v is not None] for row in rows]
    return [[{"field": k, "value": shown(at(row, k))} for k in fields if at(row, k) is not None] for row in rows]


def stats(text, rows):
    what, _, by = text.partition(" by ")
    columns = []
    for term in re.split(r",(?![^(]*\))", what):
        match = re.fullmatch(r"\s*(\w+)\((\*|[\w.]+)\)(?: as (\w+))?\s*", term)
        if not match or match[1] not in STATS:
            raise Bad(f"malformed stats: {term}")
        columns.append((STATS[match[1]], match[2], match[3] or term.strip()))
    keys = [key.strip() for key in by.split(",") if key.strip()]

    def key_of(row, key):
        match = re.fullmatch(r"bin\((\d+)([smhd])\)", key)
        if not match:
            return at(row, key)
        size = int(match[1]) * BIN_S[match[2]] * 1000
        return row["@timestamp"] // size * size

    groups = {}
    for row in rows:
        groups.setdefault(tuple(key_of(row, key) for key in keys), []).append(row)
    made = []
    for group, members in groups.items():
        row = dict(zip(keys, group))
        for function, field, name in columns:
            values = members if field == "*" else [at(m, field) for m in members if at(m, field) is not None]
            row[name] = function(values) if values else None
        made.append(row)
    return made
