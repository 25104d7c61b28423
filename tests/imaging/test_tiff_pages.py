"""Which pictures a TIFF holds: pages, stacks, reduced copies, and what is said of the rest."""

import io
import struct

import numpy as np
import pytest
import tifffile

from core.domain.errors import UnreadableImageError
from core.domain.radiograph import Radiograph
from core.imaging.limits import MAX_FRAMES
from core.imaging.read import read_radiograph
from core.imaging.uploads import frames_in
from tests.imaging.pictures import picture

PAGES = np.stack([np.roll(picture(np.uint16, (24, 31)), 3 * n, axis=1) for n in range(4)])
FILM, SMALL = picture(np.uint16, (48, 62)), picture(np.uint16, (12, 16))


def tiff_of(*pictures: np.ndarray, **options: object) -> bytes:
    """One `write` for each picture; options in lists go to the picture of that number."""
    stream = io.BytesIO()
    whole = {key: value for key, value in options.items() if not isinstance(value, list)}
    with tifffile.TiffWriter(stream, bigtiff=bool(whole.pop("bigtiff", False))) as writer:
        for index, one in enumerate(pictures):
            own = {key: value[index] for key, value in options.items() if isinstance(value, list)}
            writer.write(one, photometric="minisblack", **whole, **own)
    return stream.getvalue()


def written(array: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **options)
    return stream.getvalue()


def pictures_of(data: bytes, name: str = "stack.tif") -> list[Radiograph]:
    return [read_radiograph(one.read(), one.name, frame=one.frame) for one in frames_in(data, name)]


# --- pages and stacks ----------------------------------------------------------------------------


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_every_page_becomes_a_picture(bigtiff, compression):
    found = pictures_of(written(PAGES, photometric="minisblack", bigtiff=bigtiff, compression=compression))
    np.testing.assert_array_equal([one.pixels for one in found], PAGES)
    assert [one.frame for one in found] == [1, 2, 3, 4]
    assert len({one.sha256 for one in found}) == 4
    assert found[2].notes == (f"page 3 of 4 of the file with SHA-256 {found[0].file_sha256}",)


def test_pages_are_named_by_their_number():
    names = [one.name for one in frames_in(written(PAGES, photometric="minisblack"), "weld 7.tif")]
    assert names == [f"weld 7 page {n} of 4.tif" for n in (1, 2, 3, 4)]


def test_pages_of_different_sizes_and_depths_are_each_read_as_they_are():
    found = pictures_of(tiff_of(FILM, picture(np.uint8, (20, 30)), PAGES[0].astype(np.float32)))
    assert [(one.height, one.bit_depth) for one in found] == [(48, 16), (20, 8), (24, 32)]


def test_a_file_read_as_a_whole_shows_the_largest_page_and_says_so():
    radiograph = read_radiograph(tiff_of(SMALL, FILM, SMALL))
    np.testing.assert_array_equal(radiograph.pixels, FILM)
    assert radiograph.unread == ("3 pages, the largest, page 2, read",)
    assert read_radiograph(tiff_of(FILM, FILM)).unread == ("2 pages, first one read",)


@pytest.mark.parametrize("metadata", [{}, {"slices": 4}, {"frames": 4}, {"channels": 2, "slices": 2}])
def test_every_slice_of_an_imagej_stack_becomes_a_picture(metadata):
    shape = (2, 2, *PAGES.shape[1:]) if "channels" in metadata else PAGES.shape
    axes = "ZCYX" if "channels" in metadata else "TYX" if "frames" in metadata else "ZYX"
    found = pictures_of(written(PAGES.reshape(shape), imagej=True, metadata={"axes": axes}))
    np.testing.assert_array_equal([one.pixels for one in found], PAGES)


@pytest.mark.parametrize(
    "description", ["ImageJ=1.54f\nimages=4\nslices=4\n", '{"shape": [4, 24, 31], "truncated": true}']
)
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_planes_behind_the_only_directory_become_pictures(description, byteorder):
    """ImageJ writes stacks above 4 GB like this, tifffile with `truncate`."""
    data = one_directory(description, byteorder=byteorder)
    found = pictures_of(data)
    np.testing.assert_array_equal([one.pixels for one in found], PAGES)
    assert read_radiograph(data).unread == ("4 pages, first one read",)


def one_directory(description: str, *, byteorder: str = "<", planes: np.ndarray = PAGES, **options) -> bytes:
    """One directory, and all planes in a row at the end of the file."""
    data = written(
        planes[0], description=description, metadata=None, byteorder=byteorder, software=False, **options
    )
    at = tifffile.TiffFile(io.BytesIO(data)).pages[0].dataoffsets[0]
    assert at + planes[0].nbytes == len(data), "its pixels come last"
    return data + planes[1:].astype(planes.dtype.newbyteorder(byteorder)).tobytes()


def test_a_stack_whose_end_is_missing_is_refused():
    data = one_directory("ImageJ=1.54f\nimages=4\n")
    with pytest.raises(UnreadableImageError, match="says 4 pictures, it holds 3"):
        pictures_of(data[:-2])


def test_a_packed_stack_of_one_directory_shows_its_first_picture_and_says_what_is_missing():
    data = written(PAGES[0], description="ImageJ=1.54f\nimages=4\n", metadata=None, compression="zlib")
    (only,) = pictures_of(data)
    assert only.unread == ("its description tells of 4 pictures, one could be found",)


def test_a_stack_that_claims_millions_of_planes_is_refused_at_once():
    data = one_directory("ImageJ=1.54f\nimages=400000000\n", planes=np.zeros((4, 1, 1), np.uint8))
    with pytest.raises(UnreadableImageError, match="at most 10000 pages, got 400000000"):
        pictures_of(data)


@pytest.mark.parametrize("count", [MAX_FRAMES, MAX_FRAMES + 1])
def test_a_file_of_too_many_pages_is_refused_as_a_whole(count):
    data = written(np.zeros((count, 2, 3), np.uint8), photometric="minisblack")
    if count > MAX_FRAMES:
        with pytest.raises(UnreadableImageError, match=f"at most 250 pages, got {count}"):
            frames_in(data, "stack.tif")
    else:
        assert len(frames_in(data, "stack.tif")) == count


@pytest.mark.parametrize("shape", [(4, 24, 31), (2, 2, 24, 31)])
def test_every_plane_of_ome_becomes_a_picture(shape):
    data = written(
        PAGES.reshape(shape), ome=True, metadata={"axes": "ZCYX"[-len(shape) :] if len(shape) > 3 else "ZYX"}
    )
    found = pictures_of(data, "film.ome.tif")
    np.testing.assert_array_equal([one.pixels for one in found], PAGES)
    assert all(one.unread == () for one in found)


def test_planes_of_ome_that_lie_in_other_files_are_told():
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="31" '
        'SizeY="24" SizeZ="5" SizeC="2" SizeT="1"><TiffData/></Pixels></Image></OME>'
    )
    data = written(PAGES[:2], description=xml, metadata=None, photometric="minisblack")
    assert pictures_of(data)[0].unread == ("its OME-XML tells of 10 planes, 2 are in this file",)


# --- full resolution -------------------------------------------------------------------------------


def test_the_film_behind_a_thumbnail_is_read_and_not_the_thumbnail():
    (found,) = pictures_of(tiff_of(SMALL, FILM, subfiletype=[1, 0]))
    np.testing.assert_array_equal(found.pixels, FILM)
    assert found.unread == ("1 reduced copy not read (16 × 12 px)",)


def test_the_older_tag_for_a_reduced_copy_counts_too():
    data = tiff_of(SMALL, FILM, extratags=[[(255, 3, 1, 2, True)], [(255, 3, 1, 1, True)]])
    (found,) = pictures_of(data)
    np.testing.assert_array_equal(found.pixels, FILM)


def sub_ifd_file(main: np.ndarray, *children: np.ndarray, kinds: list[int]) -> bytes:
    """A TIFF whose first directory has the others as SubIFDs."""
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(main, subifds=len(children), subfiletype=kinds[0], photometric="minisblack")
        for child, kind in zip(children, kinds[1:], strict=True):
            writer.write(child, subfiletype=kind, photometric="minisblack")
    return stream.getvalue()


@pytest.mark.parametrize("kinds", [[1, 0], [0, 0]])
def test_the_film_in_a_child_directory_is_read_whether_or_not_the_thumbnail_is_marked(kinds):
    (found,) = pictures_of(sub_ifd_file(SMALL, FILM, kinds=kinds))
    np.testing.assert_array_equal(found.pixels, FILM)


def test_the_levels_of_a_pyramid_are_one_picture():
    (found,) = pictures_of(sub_ifd_file(FILM, FILM[::2, ::2], FILM[::4, ::4], kinds=[0, 1, 1]))
    np.testing.assert_array_equal(found.pixels, FILM)
    assert found.unread == ("2 reduced copies not read (31 × 24 px and others)",)


def test_a_mask_is_no_picture():
    data = tiff_of(FILM, (FILM > 99).astype(np.uint8), subfiletype=[0, 1])
    reduced, mask = (struct.pack("<HHII", 254, 4, 1, kind) for kind in (1, 4))
    assert data.count(reduced) == 1
    (found,) = pictures_of(data.replace(reduced, mask))
    assert (found.width, found.unread) == (62, ("1 mask not read",))


def test_a_lone_reduced_copy_is_read_and_called_one():
    (found,) = pictures_of(tiff_of(SMALL, subfiletype=[1]))
    np.testing.assert_array_equal(found.pixels, SMALL)
    assert found.unread == ("it is marked as a reduced copy, and the file holds no larger picture",)


def test_children_in_a_circle_are_refused():
    data = bytearray(sub_ifd_file(SMALL, FILM, kinds=[1, 0]))
    page = tifffile.TiffFile(io.BytesIO(bytes(data))).pages[0]
    at = page.tags["SubIFDs"].valueoffset
    data[at : at + 4] = struct.pack("<I", page.offset)
    with pytest.raises(UnreadableImageError, match="in a circle"):
        read_radiograph(bytes(data))


def test_a_child_outside_of_the_file_is_told():
    data = bytearray(sub_ifd_file(FILM, SMALL, kinds=[0, 1]))
    at = tifffile.TiffFile(io.BytesIO(bytes(data))).pages[0].tags["SubIFDs"].valueoffset
    data[at : at + 4] = struct.pack("<I", len(data) + 10)
    (found,) = pictures_of(bytes(data))
    assert found.unread == ("the file ends early: a page that it points at is not in it",)


def test_a_page_that_the_file_does_not_have_is_refused():
    with pytest.raises(UnreadableImageError, match="a page from 1 to 4, got 5"):
        read_radiograph(written(PAGES, photometric="minisblack"), frame=5)


def test_a_page_that_is_damaged_does_not_stop_the_others():
    data = bytearray(written(PAGES, photometric="minisblack", compression="zlib"))
    at = tifffile.TiffFile(io.BytesIO(bytes(data))).pages[1].dataoffsets[0]
    data[at : at + 40] = bytes(40)
    files = frames_in(bytes(data), "stack.tif")
    np.testing.assert_array_equal(read_radiograph(files[2].read(), frame=3).pixels, PAGES[2])
    with pytest.raises(UnreadableImageError, match="truncated or damaged"):
        read_radiograph(files[1].read(), frame=2)
