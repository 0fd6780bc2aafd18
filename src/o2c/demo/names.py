"""Made-up names and addresses: no company, person, mail domain or phone number of the real world.

Names are built from coined syllables, addresses use domains reserved for examples (RFC 2606) and phone numbers
the ranges set aside for fiction (NANPA 555-01xx, Ofcom 020 7946 0xxx, Bundesnetzagentur 030 23125 xxx).
"""

import polars as pl

from o2c.demo.draws import look_up


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_STEMS = _words(
    "Bram Quil Thist Ember Fenn Hollo Larken Morro Nettle Oster Pell Quarr Rusk Sable Tamber Ulver Vell Wick"
    " Yarr Zell Alder Birch Cinder Dapple Elder Flint Gorse Heath Isk Juni Kest Lim"
)
_ENDINGS = _words(
    "low mere wick fold stead bourne combe dale fell garth holt hurst lea moor ness pike rigg shaw thorpe toft"
    " vane wold yard beck brow cote croft dene gate haven"
)
_TRADES = _words(
    "Foods Markets Grocers Provisions Bakeries Dairies Wholesale Kitchens Farms Beverages Stores Catering Mills"
    " Produce Trading Logistics Packaging Delicatessen Spices Distribution Canteens Pantries Fisheries Orchards"
)
_PREFIXES = (
    "",
    "North ",
    "South ",
    "East ",
    "West ",
    "Old ",
    "New ",
    "Upper ",
    "Lower ",
    "Great ",
    "Little ",
)
LEGAL_FORMS = {
    "US": ("Inc", "LLC", "Corp", "Co"),
    "DE": ("GmbH", "AG", "KG", "OHG"),
    "GB": ("Ltd", "plc", "LLP", "Ltd"),
}
# One customer is written in several ways (PROFILE §2); payers' names on bank entries show it.
NAME_VARIANTS = ("", " corp", " corporation", " co", " llc", " in", " us", " systems", " associates")
_FIRST_NAMES = _words("Robin Alex Sam Kim Jo Lee Pat Chris Dana Toni Kit Max")
_LAST_NAMES = _words(
    "Ashgrove Brackenby Copperdale Dewhollow Emberley Fernholt Gorseby Hazelrigg Ivenholm Jasperton"
)

SPELLINGS = len(_STEMS) * len(_ENDINGS) * len(_TRADES) * len(_PREFIXES)


def company_name(number: pl.Expr, entity: pl.Expr) -> pl.Expr:
    """A name that no other number has: a coined word and a trade, with a number after ``SPELLINGS`` of them."""
    # Multiplying by a number without common factors scatters neighbours over the alphabet and stays one-to-one.
    place = (number.cast(pl.UInt64) * pl.lit(104_729, dtype=pl.UInt64)) % SPELLINGS
    stem, rest = place % len(_STEMS), place // len(_STEMS)
    ending, rest = rest % len(_ENDINGS), rest // len(_ENDINGS)
    trade, prefix = rest % len(_TRADES), rest // len(_TRADES)
    again = number // SPELLINGS
    return pl.concat_str(
        look_up(_PREFIXES, prefix),
        look_up(_STEMS, stem),
        look_up(_ENDINGS, ending),
        pl.lit(" "),
        look_up(_TRADES, trade),
        pl.when(again > 0).then(pl.concat_str(pl.lit(" "), again + 1)).otherwise(pl.lit("")),
        pl.lit(" "),
        _legal_form(number, entity),
    )


def _legal_form(number: pl.Expr, entity: pl.Expr) -> pl.Expr:
    place = (number % 4).cast(pl.Int64)
    chosen = pl.when(entity == "US").then(look_up(LEGAL_FORMS["US"], place))
    for code in ("DE", "GB"):
        chosen = chosen.when(entity == code).then(look_up(LEGAL_FORMS[code], place))
    return chosen.otherwise(pl.lit(""))


def person_name(number: pl.Expr) -> pl.Expr:
    """First and last name; many people share one."""
    first = look_up(_FIRST_NAMES, (number % len(_FIRST_NAMES)).cast(pl.Int64))
    last = look_up(_LAST_NAMES, (number // len(_FIRST_NAMES) % len(_LAST_NAMES)).cast(pl.Int64))
    return pl.concat_str(first, pl.lit(" "), last)


def phone(number: pl.Expr, entity: pl.Expr) -> pl.Expr:
    """A number from the range that the entity's country reserves for fiction."""
    area = look_up(("212", "303", "312", "404", "503", "617"), (number % 6).cast(pl.Int64))
    last = number.cast(pl.Int64)
    return (
        pl.when(entity == "DE")
        .then(pl.concat_str(pl.lit("+493023125"), (last % 1000).cast(pl.String).str.zfill(3)))
        .when(entity == "GB")
        .then(pl.concat_str(pl.lit("+442079460"), (last % 1000).cast(pl.String).str.zfill(3)))
        .otherwise(
            pl.concat_str(pl.lit("+1"), area, pl.lit("55501"), (last % 100).cast(pl.String).str.zfill(2))
        )
    )
