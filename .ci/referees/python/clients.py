"""Public clients in Python against the simulators of `penstock sandbox`."""
import importlib.metadata
import os
import sys
import traceback

import hubspot
import requests
import slack_sdk
from hubspot.crm import contacts as hs
from hubspot.crm import properties as hp
from simple_salesforce import Salesforce, exceptions as sfe
from slack_sdk.errors import SlackApiError


def simulators():
    """The simulators by type: url and secrets, as `penstock sandbox` printed them."""
    out = {}
    with open(os.environ["REFEREES_SANDBOX"], encoding="utf-8") as f:
        for line in f:
            words = line.split(maxsplit=2)
            if len(words) == 3 and words[1].startswith("http://"):
                secret = dict(pair.split(" ") for pair in words[2].strip().split(", "))
                out[words[0].lower()] = {"url": words[1], **secret}
    return out


def want(condition, what="not as wanted"):
    if not condition:
        raise AssertionError(what)


def refused(kind, call, *args, **named):
    """Wants a call to fail with the client's own error, and answers that."""
    try:
        call(*args, **named)
    except kind as error:
        return error
    raise AssertionError("it was not refused")


class Plain(requests.adapters.HTTPAdapter):
    """simple-salesforce writes https: on this machine it is http."""

    def send(self, request, **named):
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, **named)


class SalesforceSteps:
    library = "simple-salesforce"

    def __init__(self, at):
        form = {"grant_type": "client_credentials", "client_id": at["client_id"], "client_secret": at["client_secret"]}
        token = requests.post(at["url"] + "/services/oauth2/token", data=form, timeout=30).json()
        session = requests.Session()
        session.mount("https://", Plain())
        self.sf = Salesforce(instance=at["url"].removeprefix("http://"), session_id=token["access_token"], session=session, version="62.0")

    def limits(self):
        want(self.sf.limits()["DailyApiRequests"]["Remaining"] > 0)
        want(self.sf.api_usage["api-usage"].used > 0)

    def describe(self):
        want("Account" in [o["name"] for o in self.sf.describe()["sobjects"]])
        want(self.sf.Account.metadata()["objectDescribe"]["name"] == "Account")
        want(any(f["name"] == "Customer_ID__c" and f["externalId"] for f in self.sf.Account.describe()["fields"]))

    def create(self):
        made = self.sf.Account.create({"Name": "simple", "Phone": "1"})
        want(made["success"])
        self.id = made["id"]

    def read(self):
        want(self.sf.Account.get(self.id)["Name"] == "simple")

    def update(self):
        want(self.sf.Account.update(self.id, {"Phone": "2"}) == 204)

    def upsert(self):
        want(self.sf.Account.upsert("Customer_ID__c/py%2F1", {"Name": "made"}) == 201)
        want(self.sf.Account.upsert("Customer_ID__c/py%2F1", {"Name": "found"}) == 200)
        want(self.sf.Account.get_by_custom_id("Customer_ID__c", "py/1")["Name"] == "found")

    def query(self):
        found = self.sf.query_all("SELECT Id, Phone FROM Account WHERE Name = 'simple'")
        want(found["totalSize"] == 1 and found["records"][0]["Phone"] == "2")

    def delete(self):
        want(self.sf.Account.delete(self.id) == 204)

    def errors(self):
        want(refused(sfe.SalesforceResourceNotFound, self.sf.Account.delete, self.id).content[0]["errorCode"] == "ENTITY_IS_DELETED")
        bad = refused(sfe.SalesforceMalformedRequest, self.sf.Account.create, {"Phone": "1"})
        want(bad.content[0]["errorCode"] == "REQUIRED_FIELD_MISSING" and bad.content[0]["fields"] == ["Name"])
        refused(sfe.SalesforceMalformedRequest, self.sf.query, "SELECT Nope FROM Account")
        self.sf.headers["Authorization"] = "Bearer expired"
        refused(sfe.SalesforceExpiredSession, self.sf.limits)


class HubSpotSteps:
    library = "hubspot-api-client"

    def __init__(self, at):
        self.client = hubspot.HubSpot(access_token=at["token"])
        self.url = at["url"]

    def api(self, api):
        api.api_client.configuration.host = self.url
        return api

    def create(self):
        made = self.api(self.client.crm.contacts.basic_api).create(hs.SimplePublicObjectInputForCreate(properties={"email": "py@hubspot.example", "firstname": "Py"}, associations=[]))
        self.id = made.id

    def read(self):
        want(self.api(self.client.crm.contacts.basic_api).get_by_id("py@hubspot.example", id_property="email").id == self.id)

    def update(self):
        want(self.api(self.client.crm.contacts.basic_api).update(self.id, hs.SimplePublicObjectInput(properties={"firstname": "P"})).properties["firstname"] == "P")

    def upsert(self):
        inputs = [hs.SimplePublicObjectBatchInputUpsert(id=f"{who}@hubspot.example", id_property="email", object_write_trace_id=who, properties={"firstname": who}) for who in ("py", "py2")]
        out = self.api(self.client.crm.contacts.batch_api).upsert(hs.BatchInputSimplePublicObjectBatchInputUpsert(inputs=inputs))
        want(sorted(r.new for r in out.results) == [False, True])

    def search(self):
        by = hs.Filter(property_name="email", operator="EQ", value="py2@hubspot.example")
        out = self.api(self.client.crm.contacts.search_api).do_search(hs.PublicObjectSearchRequest(filter_groups=[hs.FilterGroup(filters=[by])], properties=["email"], limit=10))
        want(out.total == 1)

    def describe(self):
        out = self.api(self.client.crm.properties.core_api).get_all("contacts")
        want(isinstance(out, hp.CollectionResponsePropertyNoPaging) and any(p.name == "email" for p in out.results))

    def delete(self):
        self.api(self.client.crm.contacts.basic_api).archive(self.id)

    def errors(self):
        want(refused(hs.ApiException, self.api(self.client.crm.contacts.basic_api).get_by_id, self.id).status == 404)
        bad = hs.SimplePublicObjectInputForCreate(properties={"ltv_segment": "enormous"}, associations=[])
        want(refused(hs.ApiException, self.api(self.client.crm.contacts.basic_api).create, bad).status == 400)


class SlackSteps:
    library = "slack_sdk"

    def __init__(self, at):
        self.url = at["url"] + "/api/"
        self.client = slack_sdk.WebClient(token=at["token"], base_url=self.url)

    def auth_test(self):
        want(self.client.auth_test()["team_id"].startswith("T"))

    def conversations_list(self):
        self.channel = next(c["id"] for c in self.client.conversations_list(types="public_channel")["channels"] if c["is_member"])

    def chat_post_message(self):
        sent = self.client.chat_postMessage(channel=self.channel, text="from Python", metadata={"event_type": "referee", "event_payload": {"id": "1"}})
        self.ts = sent["ts"]

    def conversations_history(self):
        got = self.client.conversations_history(channel=self.channel, oldest=self.ts, inclusive=True, include_all_metadata=True)
        want(got["messages"][0]["metadata"]["event_payload"]["id"] == "1")

    def errors(self):
        want(refused(SlackApiError, self.client.chat_postMessage, channel="C0NOWHERE", text="x").response["error"] == "channel_not_found")
        want(refused(SlackApiError, slack_sdk.WebClient(token="xoxb-no", base_url=self.url).auth_test).response["error"] == "invalid_auth")

    def rate_limit(self):
        def flood():
            for i in range(3):
                self.client.chat_postMessage(channel=self.channel, text=str(i))
        limited = refused(SlackApiError, flood).response
        want(limited.status_code == 429 and int(limited.headers["Retry-After"]) >= 1)


def main():
    at, failed = simulators(), False
    for destination, kind in (("salesforce", SalesforceSteps), ("hubspot", HubSpotSteps), ("slack", SlackSteps)):
        name, done, step = f"{kind.library} {importlib.metadata.version(kind.library)}", [], "log in"
        try:
            client = kind(at[destination])
            for step, run in vars(kind).items():
                if callable(run) and not step.startswith("_") and step != "api":
                    run(client)
                    done.append(step.replace("_", " "))
            print(f"{destination}: {name}: {', '.join(done)}", flush=True)
        except Exception:  # whatever a client raises is told, and the next one runs
            traceback.print_exc()
            print(f"{destination}: {name}: {step} FAILED", file=sys.stderr)
            failed = True
    return failed


sys.exit(main())
