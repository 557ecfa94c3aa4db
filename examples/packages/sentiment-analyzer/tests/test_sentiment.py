"""What the word list and the request handling promise."""

import json
import unittest

from sentiment import lexicon, model, server


class Lexicon(unittest.TestCase):
    def test_words_decide(self):
        self.assertEqual(lexicon.analyze("I love it, great work")["sentiment"], "positive")
        self.assertEqual(lexicon.analyze("The worst, useless")["sentiment"], "negative")
        self.assertEqual(lexicon.analyze("It is a table")["sentiment"], "neutral")

    def test_negation_turns_a_word_round(self):
        self.assertEqual(lexicon.analyze("not very good")["words"], {"not very good": -1.5})

    def test_scores_stay_in_range(self):
        self.assertEqual(lexicon.analyze("great " * 50)["score"], 1.0)
        self.assertEqual(lexicon.analyze("")["score"], 0.0)


class Requests(unittest.TestCase):
    def test_one_and_many(self):
        self.assertEqual(server.answer(json.dumps({"text": "great"}))["sentiment"], "positive")
        self.assertEqual(len(server.answer(json.dumps({"texts": ["great", "bad"]}))["results"]), 2)

    def test_what_makes_no_sense_is_refused(self):
        for body in ["", "[]", "{}", '{"texts": "x"}', json.dumps({"texts": ["x"] * 101})]:
            with self.assertRaises(ValueError, msg=body):
                server.answer(body)

    def test_a_model_that_is_down_is_an_error_of_its_own(self):
        with self.assertRaises(model.ModelError):
            model.analyze("text", "http://127.0.0.1:9", "none")


if __name__ == "__main__":
    unittest.main()
