// {{name}}: answers `POST /run` with the model's reply. Standard library only.
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"
)

const model = "{{model}}"

//go:embed prompt.md
var prompt string

var client = http.Client{Timeout: time.Minute}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

func baseURL() string {
	if url := os.Getenv("MODEL_BASE_URL"); url != "" {
		return url
	}
	return "https://api.openai.com/v1"
}

func ask(text string) (string, error) {
	messages := []message{{"system", prompt}, {"user", text}}
	body, err := json.Marshal(map[string]any{"model": model, "messages": messages})
	if err != nil {
		return "", err
	}
	request, err := http.NewRequest(http.MethodPost, baseURL()+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("MODEL_API_KEY"))
	request.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the model answered %s", answer.Status)
	}
	var reply struct {
		Choices []struct {
			Message message `json:"message"`
		} `json:"choices"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&reply); err != nil {
		return "", err
	}
	if len(reply.Choices) == 0 {
		return "", errors.New("the model gave no choice")
	}
	return reply.Choices[0].Message.Content, nil
}

func respond(w http.ResponseWriter, status int, body map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func main() {
	http.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	http.HandleFunc("POST /run", func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Input string `json:"input"`
		}
		if json.NewDecoder(r.Body).Decode(&body) != nil || body.Input == "" {
			respond(w, http.StatusBadRequest, map[string]string{"error": `send {"input": "…"}`})
			return
		}
		output, err := ask(body.Input)
		if err != nil {
			respond(w, http.StatusBadGateway, map[string]string{"error": err.Error()})
			return
		}
		respond(w, http.StatusOK, map[string]string{"output": output})
	})
	log.Fatal(http.ListenAndServe(":8080", nil))
}
