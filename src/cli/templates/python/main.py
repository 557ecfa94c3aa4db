"""{{name}}: answers `POST /run` with the model's reply. Standard library only."""

import json
import os
import pathlib
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODEL = "{{model}}"
PROMPT = pathlib.Path(__file__).with_name("prompt.md").read_text(encoding="utf-8")
BASE_URL = os.environ.get("MODEL_BASE_URL", "https://api.openai.com/v1")
API_KEY = os.environ.get("MODEL_API_KEY", "")


def ask(text: str) -> str:
    messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": text}]
    request = urllib.request.Request(
        f"{BASE_URL}/chat/completions",
        data=json.dumps({"model": MODEL, "messages": messages}).encode(),
        headers={"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.answer(200, {"status": "ok"}) if self.path == "/health" else self.answer(404, {"error": "not found"})

    def do_POST(self) -> None:
        if self.path != "/run":
            return self.answer(404, {"error": "not found"})
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self.answer(200, {"output": ask(body["input"])})
        except (ValueError, KeyError, TypeError):
            self.answer(400, {"error": 'send {"input": "…"}'})
        except urllib.error.URLError as error:
            self.answer(502, {"error": f"the model did not answer: {error}"})

    def answer(self, status: int, body: dict) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


if __name__ == "__main__":
    ThreadingHTTPServer(("", 8080), Handler).serve_forever()
