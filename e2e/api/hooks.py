"""Checks that Schemathesis has not: lines of JSON, and the marker by which an agent knows this server."""

import json

import jsonschema_rs
import schemathesis


@schemathesis.check
def every_line_fits_the_schema(ctx, response, case):
    """application/jsonl: the schema is that of each line."""
    if response.headers.get("content-type", [""])[0] != "application/jsonl":
        return
    schema = case.operation.schema.raw_schema
    line = {"/api/v1/punches": "PunchLine", "/api/v1/days": "DayLine"}[case.operation.path]
    line_schema = {"$ref": f"#/components/schemas/{line}", "components": schema["components"]}
    validator = jsonschema_rs.Draft202012Validator(line_schema)
    for line in response.text.splitlines():
        validator.validate(json.loads(line))


@schemathesis.check
def the_marker_is_there(ctx, response, case):
    """Whatever is asked, the answer says that it is ours."""
    assert response.headers.get("mngntime-server") == ["1"], "no header mngntime-server"
    assert response.headers.get("x-content-type-options") == ["nosniff"], "no header x-content-type-options"
