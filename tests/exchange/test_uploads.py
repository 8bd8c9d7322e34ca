"""What comes over the network is told apart by its bytes, and a sheet with mistakes goes back with them marked."""

from io import BytesIO
from zipfile import ZipFile

import pytest
from openpyxl import Workbook, load_workbook

from exchange.faults import Fault, Sentence
from exchange.marking import marked
from exchange.refusals import SheetRefused
from exchange.uploads import admit_upload


def workbook(*rows: list[object]) -> bytes:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def archive(**parts: str) -> bytes:
    made = BytesIO()
    with ZipFile(made, "w") as file:
        for name, text in parts.items():
            file.writestr(name.replace("__", "/").replace("_", "."), text)
    return made.getvalue()


SHEET = workbook(["学号", "欠费金额"], ["1", 2.5])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"%PDF-1.4", "it is PDF", id="PDF"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "a PNG picture", id="picture"),
        pytest.param(b"MZ\x90\x00", "a program", id="program"),
        pytest.param(b"no,sheet\n", "plain text", id="text"),
        pytest.param(bytes(range(256)), "of an unknown kind", id="anything"),
        pytest.param(b"", "of an unknown kind", id="nothing"),
        pytest.param(archive(photo_jpg=""), "a ZIP archive", id="photos"),
        pytest.param(archive(word__document_xml=""), "a Word document", id="Word"),
        pytest.param(SHEET[:-30], "damaged or cut off", id="cut off"),
        pytest.param(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "old .xls", id="xls"),
        pytest.param(workbook(["a"], ["=SUM(A1:A1)"]), "cell A2 is a formula", id="formula"),
        pytest.param(workbook(["a"], [None, "=1"]), "cell B2 is a formula", id="formula further on"),
    ],
)
def test_what_is_refused_is_called_by_what_it_is(content, says):
    with pytest.raises(SheetRefused) as refused:
        admit_upload(content)

    assert says in refused.value.reason.en


def test_values_pass_even_when_a_text_looks_like_a_formula():
    book = Workbook()
    cell = book.worksheets[0].cell(row=1, column=1, value="=1+1")
    cell.data_type = "s"
    made = BytesIO()
    book.save(made)

    admit_upload(SHEET)
    admit_upload(made.getvalue())


def fault(cell: str, zh: str) -> Fault:
    return Fault(row=1, column="", cell=cell, value="", reason=Sentence(zh, "in English"))


def test_a_sheet_comes_back_with_every_bad_cell_tinted_and_its_own_content_untouched():
    content = marked(SHEET, [fault("B2", "一"), fault("B2", "二"), fault("1:1", "缺")], [fault("A2", "三")])

    sheet = load_workbook(BytesIO(content)).worksheets[0]
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [["学号", "欠费金额"], ["1", 2.5]]
    notes = {cell.coordinate: cell.comment.text for row in sheet.iter_rows() for cell in row if cell.comment}
    assert notes == {"A1": "缺\nin English", "B2": "一\nin English\n二\nin English", "A2": "三\nin English"}
    assert sheet["A2"].fill.fgColor.rgb != sheet["B2"].fill.fgColor.rgb


def test_what_cannot_be_opened_again_is_not_marked():
    broken = BytesIO(SHEET)
    with ZipFile(broken) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    parts["xl/styles.xml"] = b"<styleSheet><"
    made = BytesIO()
    with ZipFile(made, "w") as new:
        for name, part in parts.items():
            new.writestr(name, part)

    with pytest.raises(SheetRefused, match="cannot be marked"):
        marked(made.getvalue(), [fault("A1", "一")])
