"""Checks a dump on standard input against a schema; exit status 77 where that cannot be done."""
import json
import sys

try:
    import jsonschema

    validator = jsonschema.Draft202012Validator
except (ImportError, AttributeError):
    sys.exit(77)

with open(sys.argv[1], encoding="utf-8") as schema_file:
    schema = json.load(schema_file)
validator.check_schema(schema)


def no_such_number(word):
    raise ValueError(f"{word} is not a number of JSON")


dump = json.load(sys.stdin, parse_constant=no_such_number)
errors = list(validator(schema).iter_errors(dump))
for error in errors:
    print(f"{error.json_path}: {error.message}", file=sys.stderr)
sys.exit(1 if errors else 0)
