#!/usr/bin/env python3
"""Writes bleu.tsv: sentences, their 13a tokens, and the BLEU of all, by an implementation of its own.

Run with any Python 3: python3 make_bleu_golden.py [OUTPUT_DIR]. The file is committed; the tests only read it. The
tokens follow the regular expressions of mteval-v13a.pl as published; the score is Papineni et al. 2002 over exact
fractions. A line is hypothesis, reference, tokens of both, and the score of all lines so far, separated by tabs.
"""
import math
import random
import re
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

WORDS = ("ein Mann der Hund läuft über grünes Gras, vor einem weißen Zaun. 3,000.5 1990-2000 3.Mai U.S. it's dogs' "
         "&quot;ja&quot; A&amp;B <b> a/b [x] {y} ~ ` $5.99 50% e.g., ... -- well-known 7- no.7 7.no ,, .5 5. (na,gut) "
         "naïve\u00a0Idee l'homme «oui» – * + = ? ! ; : # @ ^ _ | \\ und die Frau trägt rote Schuhe").split(" ")


def tokens(line):
    for entity, text in (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")):
        line = line.replace(entity, text)
    line = f" {line} "
    line = re.sub(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])", r" \1 ", line)
    line = re.sub(r"([^0-9])([\.,])", r"\1 \2 ", line)
    line = re.sub(r"([\.,])([^0-9])", r" \1 \2", line)
    line = re.sub(r"([0-9])(-)", r"\1 \2 ", line)
    return line.split()


def bleu(pairs):
    product, hypothesis_length, reference_length = Fraction(1), 0, 0
    for n in range(1, 5):
        matches = total = 0
        for h, r in pairs:
            ngrams = [Counter(tuple(s[i:i + n]) for i in range(len(s) - n + 1)) for s in (h, r)]
            matches += sum((ngrams[0] & ngrams[1]).values())
            total += sum(ngrams[0].values())
        if matches == 0:
            return 0.0
        product *= Fraction(matches, total)
    hypothesis_length, reference_length = (sum(len(pair[i]) for pair in pairs) for i in (0, 1))
    penalty = min(1.0, math.exp(1 - reference_length / hypothesis_length))
    return 100 * penalty * float(product) ** 0.25


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    draw = random.Random(0)
    rows, pairs = [], []
    for i in range(60):
        reference = [draw.choice(WORDS) for _ in range(draw.randint(3, 14))]
        hypothesis = [draw.choice(WORDS) if draw.random() < 0.25 else word for word in reference if draw.random() > 0.1]
        h, r = " ".join(hypothesis), " ".join(reference)
        pairs.append((tokens(h), tokens(r)))
        rows.append("\t".join((h, r, " ".join(pairs[-1][0]), " ".join(pairs[-1][1]), repr(bleu(pairs)))))
    (folder / "bleu.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
