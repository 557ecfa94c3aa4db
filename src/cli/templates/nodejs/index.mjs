// {{name}}: answers `POST /run` with the model's reply. No dependencies; Node.js 18 or newer.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const model = "{{model}}";
const prompt = readFileSync(new URL("prompt.md", import.meta.url), "utf8");
const baseUrl = process.env.MODEL_BASE_URL ?? "https://api.openai.com/v1";
const apiKey = process.env.MODEL_API_KEY ?? "";

async function ask(text) {
  const messages = [{ role: "system", content: prompt }, { role: "user", content: text }];
  const answer = await fetch(`${baseUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ model, messages }),
  });
  if (!answer.ok) throw new Error(`the model answered ${answer.status}`);
  return (await answer.json()).choices[0].message.content;
}

async function input(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  try {
    return JSON.parse(text).input;
  } catch {
    return undefined;
  }
}

async function reply(request) {
  if (request.method === "GET" && request.url === "/health") return [200, { status: "ok" }];
  if (request.method !== "POST" || request.url !== "/run") return [404, { error: "not found" }];
  const text = await input(request);
  if (typeof text !== "string") return [400, { error: 'send {"input": "…"}' }];
  try {
    return [200, { output: await ask(text) }];
  } catch (error) {
    return [502, { error: `the model did not answer: ${error.message}` }];
  }
}

createServer(async (request, response) => {
  const [status, body] = await reply(request);
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}).listen(8080);
