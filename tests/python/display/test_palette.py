from clearspot.display.palette import QUALITATIVE, colours, symbol


def test_forty_classes_have_forty_colours() -> None:
    shades = colours([str(number) for number in range(40)])
    assert len(set(shades.values())) == 40
    assert len(QUALITATIVE) == 40


def test_each_sixteen_classes_have_a_shape_of_their_own() -> None:
    assert [symbol(number) for number in (0, 15, 16, 31, 32)] == ["circle", "circle", "diamond", "diamond", "square"]
