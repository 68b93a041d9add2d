"""`build.py bench retrieval`: recall@5 and MRR of keywords, of vectors and of the two fused, beside a plain BM25.

python -m build_tools.bench.retrieval.measure

Keywords are the library's own index, run in Node; vectors the weights that ship, run by ONNX Runtime; fusion, diversity and
threshold the product's own code. The questions are halved by their hash: the numbers in documents/ranking.py were chosen on
one half, and the other half is what is reported.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from amplifier_browser.documents.chunks import estimated_tokens
from amplifier_browser.documents.library import MOST_FOUND, Found, Hit
from amplifier_browser.documents.ranking import PASSAGES, Ranked, diverse, fuse, is_answerable, match_words

from ...paths import ROOT
from ...steps import BuildError
from . import corpus as texts
from .corpus import FOLDER, Corpus, Question
from .vectors import embed, quantized, token_counts

FIRST = 5
TUNED, REPORTED = 0, 1  # which half

Ids = Sequence[str]


@dataclass(frozen=True)
class Figures:
    """Means over questions. `recall`: the share with a passage of the answer among the first FIRST; `mrr`: of 1 / its rank."""

    first: float
    recall: float
    mrr: float


class Searches:
    """What the library would find for each question."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self._by_id = {chunk.id: at for at, chunk in enumerate(corpus.chunks)}
        self._books = np.array(corpus.books)
        passages = [f"{chunk.heading}\n{chunk.text}" if chunk.heading else chunk.text for chunk in corpus.chunks]
        queries = [question.text for question in corpus.questions]
        self._cosines = quantized(embed(queries)) @ quantized(embed(passages)).T
        self._keywords = _keywords(corpus)

    def found(self, at: int, without_book: bool = False) -> Found:
        """Both lists for the question at `at`; on wish as if the library lacked the book with its answer."""
        wanted = self._books != self.corpus.questions[at].book if without_book else np.ones(len(self._books), bool)
        rows = [int(row) for row in np.argsort(-self._cosines[at]) if wanted[row]][:MOST_FOUND]
        scores = [(self._by_id[hit["id"]], hit["score"]) for hit in self._keywords[at]]
        return Found(
            keywords=[Hit(self.corpus.chunks[row], score) for row, score in scores if wanted[row]][:MOST_FOUND],
            vectors=[Hit(self.corpus.chunks[row], float(self._cosines[at][row])) for row in rows],
            total=int(wanted.sum()),
        )


def _keywords(corpus: Corpus) -> list[list[dict[str, Any]]]:
    """The keyword index's hits for each question, many enough for those of one book to be left out."""
    chunks = [{"id": chunk.id, "heading": chunk.heading, "text": chunk.text} for chunk in corpus.chunks]
    queries = [question.text for question in corpus.questions]
    asked = FOLDER / "keywords.json"
    asked.write_text(json.dumps({"chunks": chunks, "queries": queries, "limit": 10 * MOST_FOUND}))
    command = ["node", str(Path(__file__).with_name("keywords.mjs")), str(asked)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"The keyword index failed:\n{done.stderr}")
    return json.loads(done.stdout)


def figures(questions: Sequence[Question], ranked: Sequence[Ids]) -> Figures:
    """Of lists of chunk ids, best first."""
    ranks = [
        next((rank for rank, id in enumerate(ids, 1) if id in question.answer), 0)
        for question, ids in zip(questions, ranked, strict=True)
    ]
    count = max(1, len(ranks))
    return Figures(
        first=sum(rank == 1 for rank in ranks) / count,
        recall=sum(0 < rank <= FIRST for rank in ranks) / count,
        mrr=sum(1 / rank for rank in ranks if rank) / count,
    )


def half_of(question: str) -> int:
    """0 or 1, for ever the same."""
    return hashlib.sha256(question.encode()).digest()[-1] % 2


def main() -> int:
    """Prints the tables; returns 1 unless the fusion beats both halves of it."""
    try:
        searches = Searches(texts.load())
        results = {half: _figures_of(searches, half) for half in (TUNED, REPORTED)}
        refusals = _refusals(searches)
    except BuildError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print("\n".join([*_corpus_lines(searches.corpus), "", *_table(results), "", *refusals]))
    fused, *rest = (results[REPORTED][name] for name in ("fused, as the product does", "keywords alone", "vectors alone"))
    beats = all(fused.recall > each.recall and fused.mrr > each.mrr for each in rest)
    print(f"\nThe fusion {'beats' if beats else 'does NOT beat'} both its halves on the reported questions.")
    return 0 if beats else 1


def _figures_of(searches: Searches, half: int) -> dict[str, Figures]:
    """Each way of ranking, on one half of the questions."""
    chosen = [at for at, question in enumerate(searches.corpus.questions) if half_of(question.text) == half]
    questions = [searches.corpus.questions[at] for at in chosen]
    found = [searches.found(at) for at in chosen]
    fused = [fuse(question.text, each) for question, each in zip(questions, found, strict=True)]
    plain = _rank_bm25(searches.corpus)
    ranked: dict[str, list[list[str]]] = {
        "rank_bm25, plain": [plain(question.text) for question in questions],
        "keywords alone": [[hit.chunk.id for hit in each.keywords] for each in found],
        "vectors alone": [[hit.chunk.id for hit in each.vectors] for each in found],
        "the fusion's words alone": [_by_words(question.text, each) for question, each in zip(questions, found, strict=True)],
        "fused by ranks (RRF, k = 60)": [_by_ranks(each) for each in found],
        "fused": [[each.chunk.id for each in ranked] for ranked in fused],
        "fused, as the product does": [_in_product(ranked) for ranked in fused],
    }
    return {name: figures(questions, ids) for name, ids in ranked.items()}


def _in_product(ranked: list[Ranked]) -> list[str]:
    """The passages that are shown to the model, then the rest."""
    ids = [each.chunk.id for each in diverse(ranked, PASSAGES)]
    return [*ids, *(each.chunk.id for each in ranked if each.chunk.id not in ids)]


def _by_ranks(found: Found) -> list[str]:
    """Reciprocal rank fusion (Cormack et al. 2009), for comparison."""
    scores: Counter[str] = Counter()
    for hits in (found.keywords, found.vectors):
        for rank, hit in enumerate(hits, 1):
            scores[hit.chunk.id] += 1 / (60 + rank)  # pyright: ignore[reportArgumentType]
    return sorted(scores, key=lambda id: -scores[id])


def _by_words(question: str, found: Found) -> list[str]:
    chunks = {hit.chunk.id: hit.chunk for hit in (*found.vectors, *found.keywords)}
    matches = match_words(question, [f"{chunk.heading}\n{chunk.text}" for chunk in chunks.values()])
    shares = {id: match.share for id, match in zip(chunks, matches, strict=True)}
    return sorted(shares, key=lambda id: -shares[id])


def _rank_bm25(corpus: Corpus) -> Callable[[str], list[str]]:
    """As its own documentation shows: words are what stands between spaces."""
    from rank_bm25 import BM25Okapi

    index: Any = BM25Okapi([f"{chunk.heading}\n{chunk.text}".lower().split() for chunk in corpus.chunks])

    def search(query: str) -> list[str]:
        order = np.argsort(-index.get_scores(query.lower().split()))[:MOST_FOUND]
        return [corpus.chunks[int(at)].id for at in order]

    return search


def _refusals(searches: Searches) -> list[str]:
    """How often "not in your documents" is said, where the answer is there and where its whole book is not."""
    chosen = [at for at, question in enumerate(searches.corpus.questions) if half_of(question.text) == REPORTED]
    text = {at: searches.corpus.questions[at].text for at in chosen}
    known = [is_answerable(fuse(text[at], searches.found(at))) for at in chosen]
    foreign = [is_answerable(fuse(text[at], searches.found(at, without_book=True))) for at in chosen]
    return [
        f'"Not in your documents" is said for {1 - np.mean(known):.1%} of the reported questions, and for',
        f"{1 - np.mean(foreign):.1%} of them without the book that answers them (the other three are near it, and answer some).",
    ]


def _corpus_lines(corpus: Corpus) -> list[str]:
    sizes = np.array(token_counts([chunk.text for chunk in corpus.chunks]))
    ratio = sizes.sum() / sum(estimated_tokens(chunk.text) for chunk in corpus.chunks)
    asked = Counter(question.book for question in corpus.questions)
    return [
        "Frequently asked questions, each with the answer its author wrote; the question itself is not in what is searched:",
        *(f"  {name} {version}" for name, version in corpus.packages.items()),
        f"{len(corpus.chunks):,} chunks ({np.median(sizes):.0f} tokens in the middle, {sizes.max()} at most; the estimate is "
        f"{abs(ratio - 1):.0%} {'low' if ratio > 1 else 'high'}), {len(corpus.questions)} questions: "
        + ", ".join(f"{book} {count}" for book, count in asked.items()),
    ]


def _table(results: dict[int, dict[str, Figures]]) -> list[str]:
    counted = f"{'':30} {'reported half':^27} {'half tuned on':^27}"
    head = f"{'':30} " + " ".join([f"{'first':>7} {f'recall@{FIRST}':>10} {'MRR':>7} "] * 2)
    rows = [f"{name:30} " + " ".join(_cells(results[half][name]) for half in (REPORTED, TUNED)) for name in results[REPORTED]]
    return [counted, head, *rows]


def _cells(each: Figures) -> str:
    return f"{each.first:7.3f} {each.recall:10.3f} {each.mrr:7.3f} "


if __name__ == "__main__":
    sys.exit(main())
