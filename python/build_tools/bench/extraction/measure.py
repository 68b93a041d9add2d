"""`build.py bench extraction`: reads every page with both readers, prints what each kept and lost, and writes it as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from statistics import fmean

from ...paths import BUILD, ROOT
from ...steps import BuildError
from . import texts
from .pages import Made, make_all
from .reading import reader
from .result import of_html, of_markdown
from .score import figures
from .tables import Row, by_kind, by_page, lost

OUT = BUILD / "bench" / "extraction.json"
FEWEST = 30


def main(browser: str, only: Sequence[str] = ()) -> int:
    """Prints the tables; returns 1 where Readability alone does better over all, or where there are too few pages."""
    try:
        rows = _read(browser, make_all(only))
    except BuildError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print("\n".join([*by_page(rows), "", *by_kind(rows), "", *lost(rows)]))
    _write(rows)
    ours, alone = fmean(row.ours.score for row in rows), fmean(row.alone.score for row in rows)
    print(f"\nOver all {len(rows)} pages ours is {'better' if ours > alone else 'NOT better'}. As JSON: {OUT.relative_to(ROOT)}")
    return 0 if ours > alone and (only or len(rows) >= FEWEST) else 1


def _read(browser: str, made: list[Made]) -> list[Row]:
    rows: list[Row] = []
    print(f"- reading {len(made)} pages with both readers ...", flush=True)
    with reader(browser, made) as reading:
        for each in made:
            ours, alone = reading.read(each)
            parts = of_markdown(ours.get("markdown", ""))
            beside = of_html(alone["content"]) if alone else []
            method = ours.get("method") or ours.get("error", "")
            rows.append(Row(each.page, method, figures(each.document, parts), figures(each.document, beside)))
    return rows


def _write(rows: Sequence[Row]) -> None:
    OUT.parent.mkdir(parents=True, exist_ok=True)
    pages = [
        {
            **{name: getattr(row.page, name) for name in ("name", "kind", "made_by", "licence")},
            "method": row.method,
            "ours": {**asdict(row.ours), "score": row.ours.score},
            "readability": {**asdict(row.alone), "score": row.alone.score},
        }
        for row in rows
    ]
    OUT.write_text(json.dumps({"packages": texts.VERSIONS, "pages": pages}, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
