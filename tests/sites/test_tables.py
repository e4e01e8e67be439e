from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.dates import parse_edtf
from geo.errors import SitewatchError
from sites.additions import plan_additions
from sites.catalogue import Catalogue
from sites.categories import Category
from sites.columns import attribute_of, field_of, parse_pairs, quoted, unquoted
from sites.errors import CatalogueError
from sites.model import Attribute, Name, Site
from sites.observation import Observation, Source
from sites.tables import TableOptions, parse_table, read_table, write_table

MARKETS = TableOptions(defaults={"category": "market"})


def table(text: str, options: TableOptions | None = None, file: str = "t.csv") -> tuple[Site, ...]:
    records = parse_table(text.encode(), file, options).records()
    assert all(isinstance(record, Site) for record in records)
    return records  # type: ignore[return-value]  # just asserted


def test_the_421_markets_come_in_at_once_and_only_once(test_data: Path) -> None:
    document = read_table(test_data / "sites" / "csis_markets.csv", MARKETS)
    assert document.faults == ()
    first = plan_additions(Catalogue.of([]), [document])
    assert (len(first.new), first.refused) == (421, ())
    twins = [pair for pair in first.near_duplicates if pair.distance_m is not None and pair.distance_m < 10]
    assert len(twins) == 1 and twins[0].distance_m == pytest.approx(7, abs=1)
    catalogue = first.apply(Catalogue.of([]))
    ids = {
        catalogue.get(twins[0].site_id).foreign["csis_id"],
        catalogue.get(twins[0].other_id).foreign["csis_id"],
    }
    assert ids == {220, 221}
    again = plan_additions(catalogue, [document])
    assert (len(again.same), again.new, again.changed, again.near_duplicates) == (421, (), (), ())


def test_markets_know_their_korean_names_and_areas(test_data: Path) -> None:
    (site,) = (
        found.record
        for found in read_table(test_data / "sites" / "csis_markets.csv", MARKETS).found
        if found.record.foreign["csis_id"] == 1
    )
    assert isinstance(site, Site)
    assert site.names == (Name("Haebang Market"), Name("해방시장", language="ko"))
    assert site.attributes == (Attribute("area", 1082, "m2"),)
    assert site.point is not None and (site.point.x, site.point.y) == (129.805806, 41.791617)


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("Latitude", "lat"),
        (" LON ", "lon"),
        ("경도", "lon"),
        ("Korean name", "name_ko"),
        ("Coordinate Accuracy m", "coordinate_accuracy_m"),
        ("watch.cadence", "watch.cadence"),
        ("Title", "name"),
        ("csis_id", "csis_id"),
        ("member:type", "member:type"),
    ],
)
def test_titles_say_their_fields(title: str, field: str) -> None:
    assert field_of(title) == field


def test_columns_with_a_unit_are_attributes() -> None:
    assert attribute_of("capacity_mw") == ("capacity", "mw")
    assert attribute_of("coordinate_accuracy_m") is None
    assert attribute_of("csis_id") is None


def test_given_columns_and_defaults_fill_what_titles_do_not_say() -> None:
    options = TableOptions(columns={"Place": "name", "Where": "coordinate"}, defaults={"category": "customs"})
    (site,) = table("Place;Where;note\nA;39°01'00\"N 125°44'00\"E;x\n", options)
    assert site.category is Category.CUSTOMS
    assert site.point is not None
    assert site.point.x == pytest.approx(125.7333333)
    assert site.foreign == {"note": "x"}


def test_tabs_semicolons_quotes_and_line_breaks_in_cells() -> None:
    (site,) = table('name\tcategory\tdescription\nA\tmarket\t"two\nlines, ""quoted"""\n', file="t.tsv")
    assert site.description == 'two\nlines, "quoted"'
    (site,) = table("\ufeffname;category;aliases\r\nA;market;B\r\n\r\n")
    assert [name.text for name in site.names] == ["A", "B"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the table is empty"),
        ("\n\n", "the table is empty"),
        ("lon,lat\n1,2", "no column holds the name"),
        ("name,lon\nA,1", "no column holds the category.*--set category=market"),
        ("name,category,Name\nA,market,B", "two columns mean 'name'"),
        ('name,category\n"A,market', "not a table.*stray quote"),
        ('name,category\n"A"x,market', "line 2.*not a table"),
        ("a," * 600 + "name", "columns are too many"),
    ],
)
def test_refuses_what_is_no_table_of_sites(text: str, words: str) -> None:
    with pytest.raises(CatalogueError, match=words) as caught:
        parse_table(text.encode(), "t.csv")
    assert caught.value.where.file == "t.csv"


def test_refuses_a_column_that_is_not_there() -> None:
    with pytest.raises(CatalogueError, match="Did you mean 'Place'"):
        table("Place,category\nA,market\n", TableOptions(columns={"place": "name"}))


def test_refuses_korean_windows_bytes() -> None:
    with pytest.raises(CatalogueError, match="CP949"):
        parse_table("name,category\n해방시장,market\n".encode("cp949"), "t.csv")


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("A,market,x,39,", "lon"),
        ("A,market,nan,39,", "lon"),
        ("A,market,1_0,39,", "lon"),
        ('A,market,"125,7",39,', "lon"),
        ("A,market,,39,", "lon"),
        ("A,market,39,125,", "geometry.coordinates"),
        ("A,bazaar,125,39,", "category"),
        (",market,125,39,", "id"),
        ("A,market,125,39,{", "observations"),
        ('A,market,125,39,"[{""date"": ""x"", ""text"": ""y""}]"', "observations[0].date"),
        ("A,market,125,39,,surplus", None),
    ],
)
def test_a_bad_row_is_named_by_line_and_field(row: str, field: str | None) -> None:
    data = f"name,category,lon,lat,observations\nGood,market,125,39,\n\n{row}\n"
    document = parse_table(data.encode(), "t.csv")
    assert [found.record.id for found in document.found] == ["good"]
    (fault,) = document.faults
    assert (fault.where.file, fault.where.line, fault.where.field) == ("t.csv", 4, field)


def test_numbers_too_large_to_be_whole_can_be_written_again() -> None:
    (site,) = table(f"name,category,area_m2\nA,market,{10**30}\n")
    assert site.attributes[0].value == 1e30
    assert table(write_table([site])) == (site,)


def test_formulas_are_disarmed_and_come_back() -> None:
    site = Site("a", (Name("=HYPERLINK(1)"),), Category.MARKET, description="'+1", foreign={"@x": "-2+3"})
    written = write_table([site])
    cells = [cell for row in csv.reader(io.StringIO(written)) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert table(written) == (site,)


@given(st.text())
def test_quoting_a_formula_can_always_be_undone(text: str) -> None:
    assert unquoted(quoted(text)) == text
    assert not quoted(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_tables_lose_nothing_of_the_built_in_catalogue(test_data: Path) -> None:
    for path in (test_data / "sites" / "dprk_sites.geojson", Path(__file__).parents[2] / "sites" / "builtin"):
        catalogue = Catalogue.read(path)
        assert table(write_table(catalogue)) == tuple(catalogue)
        assert table(write_table(catalogue, delimiter="\t"), file="t.tsv") == tuple(catalogue)


def test_tables_keep_foreign_members_of_every_type_and_name() -> None:
    foreign = {
        "n": 5,
        "t": "5",
        "b": True,
        "z": None,
        "e": "",
        "l": [1],
        "type": "x",
        "area_m2": "y",
        "s": " p ",
    }
    note = Observation("n1", parse_edtf("2016~"), "Built.", sources=(Source("x"),))
    site = Site(
        "a",
        (Name("A"), Name("B;C"), Name("A", span=parse_edtf("1990/.."))),
        Category.MARKET,
        attributes=(Attribute("stalls", 3, "stalls"), Attribute("area", 3.5, "m2")),
        observations=(note,),
        foreign=foreign,
    )
    assert table(write_table([site])) == (site,)


def test_option_pairs() -> None:
    assert parse_pairs(["a=b", "c = d=e"], "--set") == {"a": "b", "c": "d=e"}
    for bad in ("ab", "=b"):
        with pytest.raises(CatalogueError, match="A=B"):
            parse_pairs([bad], "--set")


TITLES = st.lists(
    st.sampled_from(["name", "category", "lon", "lat", "coordinate", "names", "area_m2", "x y", ""])
)
CELLS = st.lists(
    st.sampled_from(["A", "market", "1", "-", "[", '"', "{}", "[1]", "=1", "\x00", "é", "1e999", "'"])
)


@given(titles=TITLES, rows=st.lists(CELLS, max_size=4), delimiter=st.sampled_from(",;\t"))
@settings(max_examples=600, deadline=None)
def test_any_table_raises_only_our_errors(titles: list[str], rows: list[list[str]], delimiter: str) -> None:
    text = "\n".join(delimiter.join(row) for row in (titles, *rows))
    try:
        document = parse_table(text.encode(), "t.csv", MARKETS)
    except SitewatchError:
        return
    assert all(fault.where.line for fault in document.faults)
