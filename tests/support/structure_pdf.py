"""What a PDF tells a screen reader: its elements in reading order, and that nothing drawn is left out."""

from pypdf.generic import ContentStream

SHOWS = {b"Tj", b"TJ", b"'", b'"', b"Do", b"S", b"s", b"f", b"F", b"f*", b"B", b"b"}


def elements(reader):
    """Return the structure elements of a document in reading order, its root «Document» left out."""
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"], "the document does not say it is tagged"
    (top,) = root["/StructTreeRoot"]["/K"]
    return _under(top.get_object(), root["/StructTreeRoot"])[1:]


def _under(element, parent):
    assert element["/P"].get_object() == parent.get_object()
    found = [element]
    for child in element["/K"]:
        if not isinstance(child, int):
            found += _under(child.get_object(), element)
    return found


def marks(page):
    """Return the numbers marked on a page; what is drawn outside a mark or an artifact is refused."""
    owners = {int(key): value for key, value in _parent_tree(page)}[page["/StructParents"]].get_object()
    depth, found = 0, []
    for operands, operator in ContentStream(page.get_contents(), page.pdf).operations:
        if operator == b"BDC":
            found.append(operands[1]["/MCID"])
        depth += {b"BDC": 1, b"BMC": 1, b"EMC": -1}.get(operator, 0)
        assert depth or operator not in SHOWS, f"{operator} is drawn and never read"
    assert found == list(range(len(owners)))
    for mark, owner in zip(found, owners, strict=True):
        assert mark in owner.get_object()["/K"]
        assert owner.get_object()["/Pg"].get_object() == page
    return found


def _parent_tree(page):
    numbers = page.pdf.trailer["/Root"]["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    return zip(numbers[::2], numbers[1::2], strict=True)
