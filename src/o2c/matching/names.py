"""How alike two names of companies are, whatever typists, banks and registers make of them.

A name becomes words without accents, capitals and punctuation. Two keys are made of them: ``bare`` is without legal
forms (Inc, GmbH & Co. KG, S.p.A.), ``core`` is also without words that say nothing about whose company it is
(systems, holding, us).
"""

import polars as pl
from rapidfuzz import fuzz

from o2c.matching.wording import plain

# Words as they are after punctuation is gone.
_LEGAL_FORMS = (
    # English
    "INC INCORPORATED CORP CORPORATION CO COMPANY LTD LIMITED LLC LLP LP PLC PTY PTE PVT PRIVATE UNLTD CIC LC PC PLLC"
    # German, Austrian, Swiss
    " GMBH MBH AG KG KGAA OHG GBR UG EK EG EV SE HAFTUNGSBESCHRAENKT HAFTUNGSBESCHRANKT GESMBH"
    # French, Belgian, Luxembourgish
    " SA SARL SAS SASU EURL SNC SCA SCS SPRL SRL ASBL CIE SOCIETE"
    # Dutch
    " BV NV VOF CV BVBA"
    # Italian, Spanish, Portuguese
    " SPA SRLS SAPA SNC SL SLU SAU SLP LDA LTDA EIRELI"
    # Nordic and Baltic
    " AB OY OYJ AS ASA APS IS IVS AMBA HB KB EHF HF OU UAB SIA"
    # Central and Eastern Europe
    " SRO SPZOO ZOO KFT ZRT NYRT BT DOO DD EOOD OOD AD OOO ZAO OAO PAO"
    # Asia, Latin America, elsewhere
    " KK GK YK KABUSHIKI KAISHA SDN BHD TBK PT CV JSC PJSC FZE FZCO FZC DMCC WLL SAOG SADECV"
)
# Of other scripts, which write no blanks.
_FOREIGN_FORMS = "株式会社|有限会社|合同会社|股份有限公司|有限公司|有限责任公司|주식회사"
# Longest first where one begins like another.
_LEGAL = "|".join(sorted(set(_LEGAL_FORMS.split()), key=lambda word: (-len(word), word)))
# The same spelled with blanks between their letters, and Mexican ones.
_SPACED = "S A|S L|Z OO|SP Z OO|SP Z O O|SP ZOO|B V|N V|K K|A S|G M B H|S R O|D O O|DE CV|DE RL"
_LEGAL_FORMS_AT_END = rf"(?: (?:AND )?(?:{_LEGAL}|{_SPACED}))+$"
# Behind the first word, which is the name itself.
_LEGAL_FORMS_INSIDE = r"^( [^ ]+.*?) (?:GMBH|INC|LTD|LLC|SARL|PLC|SPA|KGAA)( |$)"
# Words that stand beside a name without saying whose it is.
_WEAK_WORDS = (
    r" (?:US|USA|IN|SYSTEMS?|ASSOCIATES?|TRUST|FOUNDATION|GROUP|GRUPPE|GROUPE|HOLDINGS?|INTERNATIONAL|INTL|"
    r"SERVICES?|STORES?|THE|AND|OF|UND|ET|DE|DER|DIE)( |$)"
)
# Below this a shared beginning, or the same consonants, are chance.
_MIN_SHORTENED = 10
TRUNCATED, WITHOUT_VOWELS = 0.95, 0.90


def name_keys(names: pl.Series) -> pl.DataFrame:
    """``bare, core`` of each name, in their order; empty for an empty name only."""
    words = _words(names).to_frame("words")
    return words.select(bare=_bare(pl.col("words")), core=_core(pl.col("words")))


def _words(names: pl.Series) -> pl.Series:
    """The words of names, in capitals, each with a blank before it; empty where there is none."""
    written = (
        plain(names.fill_null(""))
        .to_frame("name")
        .select(
            pl.col("name")
            .str.replace_many(["Ø", "Ł", "Đ", "Æ", "Œ"], ["O", "L", "D", "AE", "OE"])
            # An address behind the name: ", 12 Main St".
            .str.replace(r",[^,]*[0-9].*$", "")
            .str.replace_all(r"&|\+", " AND ")
            .str.replace_all(_FOREIGN_FORMS, " ")
            # A/S and c/o would be two words, S.p.A. three; apostrophes join (MCDONALD'S).
            .str.replace_all(r"\b([A-Z])/([A-Z])\b", "$1$2")
            .str.replace_all(r"[.'’`´]", "")
            .str.replace_all(r"[^\p{L}\p{N}]+", " ")
            .str.strip_chars(" ")
        )["name"]
    )
    words = pl.when(pl.col("name") != "").then(" " + pl.col("name")).otherwise(pl.lit(""))
    return written.to_frame("name").select(
        name=words.str.replace_all(r" (?:UND|ET|OG|OCH|EN)( )", " AND$1")
        # Umlauts are written both ways: MUELLER, MULLER.
        .str.replace_all(r"([AOU])E", "$1")
    )["name"]


def _bare(words: pl.Expr) -> pl.Expr:
    """Words without legal forms, blanks and the word "and"."""
    shorter = (
        words.str.replace(_folded(_LEGAL_FORMS_AT_END), "")
        .str.replace(_folded(_LEGAL_FORMS_INSIDE), "$1$2")
        .str.replace(_folded(_LEGAL_FORMS_AT_END), "")
    )
    kept = pl.when(shorter.str.strip_chars(" ") == "").then(words).otherwise(shorter)
    return kept.str.replace_all(r" AND( |$)", "$1").str.replace_all(" ", "", literal=True)


def _core(words: pl.Expr) -> pl.Expr:
    """The words that tell companies apart: what ``_bare`` drops and weak words are gone, blanks stay."""
    shorter = words
    for _ in range(2):  # a weak word may uncover a legal form, and neighbours share the blank between them
        shorter = (
            shorter.str.replace(_folded(_LEGAL_FORMS_AT_END), "")
            .str.replace(_folded(_LEGAL_FORMS_INSIDE), "$1$2")
            .str.replace_all(_folded(_WEAK_WORDS), "$1")
        )
    kept = pl.when(shorter.str.strip_chars(" ") == "").then(words).otherwise(shorter)
    return kept.str.replace_all(r" AND( |$)", "$1").str.strip_chars(" ")


def _folded(pattern: str) -> str:
    """A pattern for words whose umlauts are folded already (COMPANY has none, GESMBH neither)."""
    return pattern.replace("OE", "O").replace("UE", "U").replace("AE", "A")


def likeness(ones: pl.Series, others: pl.Series, at_least: float) -> pl.Series:
    """How alike the names of each pair are, 0 to 1: 0 below ``at_least``, where their digits differ or one is empty.

    The order of words means nothing. A name cut off by a bank (27 or 35 letters) is nearly the whole one, one without
    its vowels nearly so.

    Args:
        ones: bare or core names, from ``name_keys``.
        others: as many others.
        at_least: below this it is not worth to know how alike they are.
    """
    both = pl.DataFrame(
        {"one": ones, "other": others}, schema={"one": pl.String, "other": pl.String}
    ).with_row_index("pair")
    named = _features(pl.concat([both["one"], both["other"].rename("one")]).unique())
    pairs = both.join(named, left_on="one", right_on="name", validate="m:1").join(
        named, left_on="other", right_on="name", suffix="_other", validate="m:1"
    )
    short, long = pl.min_horizontal("length", "length_other"), pl.max_horizontal("length", "length_other")
    shortened = short >= _MIN_SHORTENED
    begins = pl.col("joined").str.starts_with(pl.col("joined_other")) | pl.col(
        "joined_other"
    ).str.starts_with(pl.col("joined"))
    pairs = pairs.filter((short > 0) & (pl.col("digits") == pl.col("digits_other"))).with_columns(
        known=pl.when(pl.col("joined") == pl.col("joined_other"))
        .then(1.0)
        .when(shortened & begins)
        .then(TRUNCATED)
        .when(shortened & (pl.col("consonants") == pl.col("consonants_other")))
        .then(WITHOUT_VOWELS)
        .otherwise(0.0),
        most=2 * short / (short + long),
    )
    compared = pairs.filter((pl.col("most") >= at_least) & (pl.col("known") < 1))
    ratios = pl.max_horizontal(
        _ratios(compared["joined"], compared["joined_other"], at_least),
        _ratios(compared["ordered"], compared["ordered_other"], at_least),
    )
    measured = compared.select("pair", ratio=ratios)
    found = pairs.select("pair", "known").join(measured, on="pair", how="left", validate="1:1")
    value = pl.max_horizontal("known", pl.col("ratio").fill_null(0.0))
    return (
        both.select("pair")
        .join(
            found.select("pair", likeness=pl.when(value >= at_least).then(value)),
            on="pair",
            how="left",
            maintain_order="left",
        )["likeness"]
        .fill_null(0.0)
    )


def _features(names: pl.Series) -> pl.DataFrame:
    """What pairs are compared by, once per name."""
    joined = pl.col("name").str.replace_all(" ", "", literal=True)
    return pl.DataFrame({"name": names}).select(
        "name",
        joined=joined,
        ordered=pl.col("name").str.split(" ").list.sort().list.join(""),
        digits=joined.str.replace_all(r"[^0-9]+", ""),
        consonants=joined.str.replace_all("[AEIOU]+", ""),
        length=joined.str.len_chars().cast(pl.Int64),
    )


def _ratios(ones: pl.Series, others: pl.Series, at_least: float) -> pl.Series:
    cutoff = at_least * 100
    pairs = zip(ones.to_list(), others.to_list(), strict=True)
    return pl.Series(
        [fuzz.ratio(one, other, score_cutoff=cutoff) / 100 for one, other in pairs], dtype=pl.Float64
    )


def name_likeness(payer_names: pl.Series, customer_names: pl.Series) -> pl.Series:
    """How alike the names of each pair are, 0 to 1, in the order given. An empty or unknown name is like none."""
    pairs = pl.DataFrame({"payer_name": payer_names, "customer_name": customer_names}, strict=False)
    distinct = pairs.unique()
    payers, customers = name_keys(distinct["payer_name"]), name_keys(distinct["customer_name"])
    known = distinct.select(
        "payer_name",
        "customer_name",
        likeness=pl.max_horizontal(
            likeness(payers["bare"], customers["bare"], 0.0),
            likeness(payers["core"], customers["core"], 0.0),
        ),
    )
    return pairs.join(
        known, on=["payer_name", "customer_name"], how="left", nulls_equal=True, maintain_order="left"
    )["likeness"]


def families(customers: pl.DataFrame) -> pl.DataFrame:
    """The family of each customer: the id of the head of its chain of parents.

    A parent that is no customer is a head all the same. In a circle of parents the smallest id is the head.

    Returns:
        One row per customer_id, with ``family_id``, sorted.
    """
    parents = dict(
        customers.filter(pl.col("parent_customer_id").is_not_null())
        .select("customer_id", "parent_customer_id")
        .sort("customer_id")
        .iter_rows()
    )
    heads: dict[str, str] = {}
    for start in parents:
        chain, at = [], start
        seen: dict[str, int] = {}
        while at in parents and at not in heads and at not in seen:
            seen[at] = len(chain)
            chain.append(at)
            at = parents[at]
        head = heads.get(at, at)
        if at in seen:
            head = min(chain[seen[at] :])
        heads.update(dict.fromkeys(chain, head))
    found = pl.DataFrame(
        {"customer_id": list(heads), "family_id": list(heads.values())},
        schema={"customer_id": pl.String, "family_id": pl.String},
    )
    return (
        customers.select("customer_id")
        .join(found, on="customer_id", how="left", validate="m:1")
        .select("customer_id", family_id=pl.coalesce("family_id", "customer_id"))
        .unique()
        .sort("customer_id")
    )
