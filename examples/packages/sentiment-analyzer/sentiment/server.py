"""The HTTP service: `python -m sentiment.server`."""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import lexicon, model

MAX_BODY_BYTES = 1024 * 1024
MAX_TEXTS = 100


def analyze(text):
    """By the model where one is configured and answers, else by the word list."""
    url = os.environ.get("MODEL_URL")
    if url:
        try:
            return model.analyze(text, url, os.environ.get("MODEL", "llama3.2"), os.environ.get("MODEL_API_KEY"))
        except model.ModelError as error:
            print(f"the model did not answer: {error}", file=sys.stderr)
    return lexicon.analyze(text)


def answer(body):
    """The answer to the body of a request; raises ValueError where it makes no sense."""
    request = json.loads(body)
    if not isinstance(request, dict):
        raise ValueError("the body must be a JSON object")
    if isinstance(request.get("text"), str):
        return analyze(request["text"])
    texts = request.get("texts")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("`text`, or `texts` as a list, must be given")
    if len(texts) > MAX_TEXTS:
        raise ValueError(f"at most {MAX_TEXTS} texts at once")
    return {"results": [analyze(text) for text in texts]}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self):
        if self.path == "/health":
            self.send(200, {"status": "ok"})
        else:
            self.send(404, {"error": "try POST /analyze"})

    def do_POST(self):
        length = self.headers.get("content-length", "")
        if self.path != "/analyze":
            self.send(404, {"error": "try POST /analyze"})
        elif not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.send(413, {"error": f"a body of at most {MAX_BODY_BYTES} bytes is needed"})
        else:
            try:
                self.send(200, answer(self.rfile.read(int(length))))
            except ValueError as error:
                self.send(400, {"error": str(error)})

    def send(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "8080"))
    print(f"listening on port {port}", file=sys.stderr)
    ThreadingHTTPServer(("", port), Handler).serve_forever()
