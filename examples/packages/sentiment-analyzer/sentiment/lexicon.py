"""Rates a text by the words in it. Small, explainable, and right often enough to stand in for a model."""

import re

POSITIVE = {
    "good": 1, "nice": 1, "easy": 1, "fast": 1, "helpful": 1, "clear": 1, "reliable": 1, "like": 1, "enjoy": 1,
    "happy": 1, "thanks": 1, "better": 1, "great": 2, "love": 2, "best": 2, "perfect": 2, "excellent": 2,
    "wonderful": 2, "amazing": 2, "fantastic": 2, "brilliant": 2,
}
NEGATIVE = {
    "bad": 1, "slow": 1, "hard": 1, "late": 1, "wrong": 1, "confusing": 1, "poor": 1, "problem": 1, "dislike": 1,
    "sad": 1, "worse": 1, "broken": 1, "fails": 1, "crash": 2, "hate": 2, "worst": 2, "terrible": 2, "awful": 2,
    "horrible": 2, "useless": 2, "disappointing": 2, "furious": 2,
}
WEIGHTS = {**POSITIVE, **{word: -weight for word, weight in NEGATIVE.items()}}
NEGATIONS = {"not", "no", "never", "hardly", "isn't", "wasn't", "don't", "doesn't", "didn't", "can't", "won't"}
STRENGTH = {"very": 1.5, "really": 1.5, "so": 1.5, "extremely": 2.0, "slightly": 0.5, "somewhat": 0.5}
# Sums of this size are as good as certain.
CERTAIN = 6.0
# Below it, either way, a text is neutral.
NEUTRAL = 0.05


def analyze(text):
    """Returns the sentiment, a score from -1 to 1, and what each deciding word added to it."""
    tokens = re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower().replace("\u2019", "'"))
    words = {}
    for place, token in enumerate(tokens):
        if token in WEIGHTS:
            phrase, weight = _in_context(tokens, place)
            words[phrase] = words.get(phrase, 0.0) + weight
    score = round(max(-1.0, min(1.0, sum(words.values()) / CERTAIN)), 2)
    return {"sentiment": label(score), "score": score, "words": words, "by": "lexicon"}


def label(score):
    """Names a score."""
    if abs(score) < NEUTRAL:
        return "neutral"
    return "positive" if score > 0 else "negative"


def _in_context(tokens, place):
    """The word with those before it that turn it round or change its strength: `not very good`."""
    phrase, weight = tokens[place], float(WEIGHTS[tokens[place]])
    for before in reversed(tokens[max(0, place - 2):place]):
        if before in NEGATIONS:
            weight = -weight
        elif before in STRENGTH:
            weight *= STRENGTH[before]
        else:
            break
        phrase = f"{before} {phrase}"
    return phrase, weight
