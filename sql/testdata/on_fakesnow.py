"""Runs the Snowflake statements of stdin on fakesnow, with the penstock functions
calling a gateway, and answers what its queries gave. Stdin and stdout are JSON:

  {"gateway": URL, "script": [statement, ...], "groups": [{"pending": statement or null,
   "steps": [statement, ...]}, ...], "queries": [query, ...]}
  -> [[[value or null, ...], ...], ...], one list of rows per query

Variables stand in the groups' statements as :refresh and :page, as in the procedure.
"""
import json
import re
import sys
import urllib.request
import uuid
import warnings

warnings.simplefilter("ignore")
import fakesnow  # noqa: E402
import snowflake.connector  # noqa: E402

task = json.load(sys.stdin)
calls = 0


def call(function, *arguments):
    """One row of one request, as an external function makes it."""
    global calls
    calls += 1
    request = urllib.request.Request(
        f"{task['gateway']}/{function}",
        data=json.dumps({"data": [[0, *arguments]]}).encode(),
        headers={
            "Content-Type": "application/json",
            "sf-external-function-format": "json",
            "sf-external-function-format-version": "1.0",
            "sf-external-function-current-query-id": f"fake-{calls}",
            "sf-external-function-query-batch-id": f"fake-{calls}:1",
            "sf-external-function-name": "penstock_" + function,
        },
    )
    with urllib.request.urlopen(request) as answer:
        return json.dumps(json.loads(answer.read())["data"][0][1])


def text(value):
    return None if value is None else str(value)


with fakesnow.patch():
    connection = snowflake.connector.connect(database="penstock", schema="public")
    cursor = connection.cursor()
    duck = cursor._duck_conn  # fakesnow's own database, which takes Python functions
    for name, count in (("syncs", 0), ("status", 3), ("errors", 3)):
        duck.create_function(
            "penstock_" + name,
            eval(f"lambda {', '.join('abc'[:count])}: call('{name}'{''.join(', ' + a for a in 'abc'[:count])})"),
            ["VARCHAR"] * count, "JSON", null_handling="special", side_effects=True)

    def run(statement):
        # DuckDB's parser wants parentheses around a default that is no plain value.
        statement = statement.replace("DEFAULT SYSDATE()", "DEFAULT (SYSDATE())")
        try:
            cursor.execute(statement)
        except Exception as fault:
            sys.exit(f"{fault}\n{statement}")
        return cursor

    for statement in task["script"]:
        run(statement)
    values = {"refresh": f"'{uuid.uuid4()}'", "page": "0"}

    def step(statement):
        return run(re.sub(r":(refresh|page)\b", lambda m: values[m[1]], statement))

    for group in task["groups"]:
        if group["pending"] is None:
            for statement in group["steps"]:
                step(statement)
            continue
        page = 0
        while True:
            values["page"] = str(page)
            if step(group["pending"]).fetchall()[0][0] == 0:
                break
            for statement in group["steps"]:
                step(statement)
            page += 1
    json.dump([[[text(v) for v in row] for row in run(query).fetchall()] for query in task["queries"]], sys.stdout)
