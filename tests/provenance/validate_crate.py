"""rocrate-validator, on a machine that reaches no web site: the context of RO-Crate 1.1 is the one that the package rocrate holds.

validate_crate.py CRATE prints what the profile Process Run Crate 0.5 requires and the crate has not, and fails if there is any.
"""

import json
import sys
from importlib.resources import files

from rocrate_validator import services
from rocrate_validator.utils import document_loader
from rocrate_validator.utils.http import HttpRequester

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
HELD = json.loads((files("rocrate") / "data/ro-crate.jsonld").read_text())
assert HELD["@id"] == CONTEXT


class Answer:
    """What the site would answer."""

    status_code = 200
    ok = True
    url = CONTEXT
    headers = {"Content-Type": "application/ld+json"}  # noqa: RUF012
    text = json.dumps(HELD)
    content = text.encode()

    def json(self):
        return HELD

    def raise_for_status(self):
        return None


def asked(requester, url, **_):
    if url != CONTEXT:
        raise OSError(f"only {CONTEXT} is held, not {url}")
    return Answer()


HttpRequester.get = HttpRequester.head = asked
document_loader._fetch_json_ld = lambda url: asked(None, url).json()
settings = services.ValidationSettings(
    rocrate_uri=sys.argv[1], profile_identifier="process-run-crate-0.5", requirement_severity="REQUIRED"
)
result = services.validate(settings)
for issue in result.get_issues():
    print(issue.check.identifier, issue.message)
sys.exit(not result.passed())
