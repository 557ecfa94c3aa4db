#!/usr/bin/env python3
"""Finds, inspects and resolves agents through the REST API, going by nothing but the description the registry gives.

    rest.py URL search QUERY            every match, page by page: repository, version, description
    rest.py URL inspect NAME [VERSION]  the record of a package, as JSON
    rest.py URL resolve NAME RANGE      the digest that a range such as ^1.2 means now

The environment variable AGENT_REGISTRY_TOKEN is shown where it is set. Needs Python 3.9 and nothing else.
"""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

DESCRIPTION = "/api/v1/openapi.json"


class Problem(Exception):
    """What the registry says is wrong (RFC 9457)."""


class Api:
    """The operations of a registry, by their ids."""

    def __init__(self, url, token=None):
        self.url, self.token, self.operations = url.rstrip("/"), token, {}
        for path, methods in self.fetch("GET", DESCRIPTION)["paths"].items():
            for method, operation in methods.items():
                self.operations[operation["operationId"]] = (method.upper(), path, operation)

    def call(self, operation_id, **values):
        """Calls an operation; the values are those of its parameters, and those that are None are left out."""
        method, path, operation = self.operations[operation_id]
        query = {}
        for parameter in operation.get("parameters", []):
            value = values.pop(parameter["name"], None)
            if parameter["in"] == "path":
                path = path.replace("{%s}" % parameter["name"], urllib.parse.quote(value, safe=""))
            elif value is not None:
                query[parameter["name"]] = value
        assert not values, f"{operation_id} has no parameters {sorted(values)}"
        return self.fetch(method, path + ("?" + urllib.parse.urlencode(query) if query else ""))

    def pages(self, operation_id, **values):
        """The entries of all pages of a list."""
        after = None
        while True:
            page = self.call(operation_id, after=after, **values)
            yield from page["items"]
            after = page.get("next")
            if after is None:
                return

    def fetch(self, method, path):
        request = urllib.request.Request(self.url + path, method=method, headers={"Accept": "application/json"})
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            problem = json.load(error)
            raise Problem(f"{problem['title']}: {problem['detail']}") from error


def main(arguments):
    if len(arguments) < 3:
        sys.exit(__doc__)
    url, verb, *rest = arguments
    api = Api(url, os.environ.get("AGENT_REGISTRY_TOKEN"))
    if verb == "search":
        for hit in api.pages("search_packages", q=" ".join(rest), limit=2):
            print(hit["repository"], hit.get("version") or "-", hit.get("description", ""), sep="\t")
    elif verb == "inspect":
        name, version = rest[0], rest[1] if len(rest) > 1 else None
        if version is None:
            record = api.call("show_package", repository=name)
        else:
            record = api.call("show_version", repository=name, version=version)
        print(json.dumps(record, indent=2, sort_keys=True))
    elif verb == "resolve":
        print(api.call("resolve_version", repository=rest[0], version=rest[1])["digest"])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Problem as problem:
        sys.exit(f"error: {problem}")
