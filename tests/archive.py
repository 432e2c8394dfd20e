"""A small archive of made-up documents, large enough that rare words are rare, as an index without models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from rag.index import Index
from tests.fakes import FakeEmbedder
from tests.indexing import new_index, run_here, write_files

FILES = {
    "contracts/lease-harbour.md": """# Lease of Harbour Lane 4

## Rent

The monthly rent is 1,450 euros, due on the third working day of each month.

## Notice

The tenant may end this lease by giving 60 days of written notice to the landlord.
Notice by electronic mail is not sufficient.

## Deposit

The tenant pays a deposit of 2,900 euros before moving in.
""",
    "contracts/loan-larkwell.md": """# Loan to Larkwell Mills

## Interest

The borrower pays interest of 4.5 percent a year on the outstanding amount.

## Maturity

The loan falls due on 30 June 2031.
""",
    "contracts/supply-norden.txt": """Supply agreement with Norden Paper

The supplier delivers 400 pallets of uncoated paper every quarter.

A late delivery costs the supplier a penalty of 2 percent of the order's value.
""",
    "medicine/velnorade.md": """# Velnorade

## Dosage

Adults take 20 mg of velnorade once daily with food.

## Warnings

Velnorade must not be given to patients with severe kidney disease.
""",
    "medicine/handwashing.txt": """Hand hygiene

Staff wash their hands for at least 30 seconds before every procedure.
""",
    "finance/fees.csv": """Account,Monthly fee,Minimum balance
Basic,0 EUR,0 EUR
Plus,4.90 EUR,500 EUR
Premier,12.50 EUR,"10,000 EUR"
""",
    "finance/report.html": """<html><head><title>Larkwell annual report</title></head><body>
<h1>Larkwell annual report</h1><h2>Revenue</h2>
<p>Revenue rose to 12.4 million euros in 2023, from 11.1 million euros in 2022.</p>
<h2>People</h2><p>Larkwell employed 85 people at the end of the year.</p></body></html>
""",
    "中文/劳动合同.txt": """劳动合同

试用期为三个月，自二〇二四年三月一日起计算。

劳动者提前三十日以书面形式通知用人单位，可以解除劳动合同。

用人单位每月十五日支付工资人民币8,500元。
""",
    "中文/采购.txt": """采购合同

供应商应当在收到订单后十个工作日内交货。

逾期交货的，每日支付货款千分之五的违约金。
""",
    **{
        f"notes/{n:02}.md": f"# Minutes {n}\n\nThe committee met in room {n + 100} and adjourned at noon.\n"
        for n in range(8)
    },
}


@contextmanager
def archive(root: Path, embedder: FakeEmbedder | None = None, **more: str | bytes) -> Iterator[Index]:
    """An index over `FILES` and `more` (name with "__" for the dot: content), read in this process."""
    folder = write_files(root / "docs", FILES)
    for name, content in more.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with (
        mock.patch("rag.store.ingest.run_in_workers", run_here),
        new_index(root / "index", embedder) as index,
    ):
        index.ingest(folder)
        yield index
