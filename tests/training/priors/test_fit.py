"""`tacit prior fit`: the figures of the data, files that are damaged, the priors that ship.

The data are not part of this repository: they are looked for in $TACIT_DATA, else in
`../shared/data` beside it, and tests that need them are skipped where they are not.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.paths import ROOT
from support.terminal import Terminal, mistake_lines

from tacit.agents.prior import prior_table
from tacit.emergence.stats import wilson
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.training.config import files
from tacit.training.config.agent_settings import read_prior
from tacit.training.priors import read_human_claims
from tacit.training.priors.human_claims import CLAIMS, KNOWN, MESSAGES, OFFERS

DATA = Path(os.environ.get("TACIT_DATA", ROOT.parent / "shared" / "data")) / "human_claims"
needs_data = pytest.mark.skipif(
    not (DATA / MESSAGES).is_file(), reason=f"no {MESSAGES} in {DATA} (set TACIT_DATA)"
)
SHIPPED = ["buyer_lied_to", "buyer_people", "supplier_campsite", "supplier_diplomacy"]

SMALL = {
    MESSAGES: ["sender_truthful,receiver_believes,words", "True,True,4", "False,True,5",
               "False,False,2", "True,NOANNOTATION,1", "True,False,3", "False,NOANNOTATION,3"],
    CLAIMS: ["claim,read_false", "top,0", "top,1", "no_need,0", "top,0"],
    OFFERS: ["dialogue,party,act,points_other",
             "1,1,submit,5", "1,2,reject,", "1,2,submit,20", "1,1,accept,",
             "2,1,submit,12", "3,1,submit,16", "2,2,accept,", "3,2,walk,",
             "4,2,submit,36", "4,1,accept,", "5,1,walk,", "6,2,submit,15", "6,1,reject,"],
}  # fmt: skip


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


@pytest.fixture
def folder(tmp_path):
    """A folder with a few rows of each file."""
    for name, lines in SMALL.items():
        path = tmp_path / "claims" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path / "claims"


# --- counting -------------------------------------------------------------------------------------


def test_counts_of_a_few_rows_by_hand(folder):
    found = read_human_claims(folder, any_file=True)
    assert found.false_message == (3, 6)
    assert (found.suspected, found.suspected_lie, found.suspected_truth) == ((2, 4), (1, 2), (1, 2))
    assert (found.false_priority, found.false_no_need) == ((1, 3), (0, 1))
    # A walk after a proposal is no acceptance, one before any is no answer.
    assert found.accepted == {0: (0, 1), 12: (1, 2), 16: (0, 1), 20: (1, 1), 24: (1, 1)}


@needs_data
def test_the_figures_are_those_of_the_data_s_own_description():
    """As SOURCE.md of the data has them, to its decimals."""
    found = read_human_claims(DATA)
    published = [
        (found.false_message, 0.0513, 0.0481, 0.0547, 17_289),
        (found.suspected, 0.0493, 0.0460, 0.0528, 15_783),
        (found.suspected_lie, 0.138, 0.116, 0.164, 802),
        (found.suspected_truth, 0.0445, 0.0413, 0.0479, 14_981),
        (found.false_priority, 0.025, 0.010, 0.062, 162),
        (found.false_no_need, 0.012, 0.002, 0.064, 85),
    ]
    for (count, n), share, low, high, cases in published:
        own = wilson(count, n)
        digits = 4 if cases > 1000 and share != 0.138 else 3
        assert n == cases
        assert [round(x, digits) for x in (own.mean, own.low, own.high)] == [share, low, high]
    accepted = {k: (round(a / n, 2), n) for k, (a, n) in found.accepted.items()}
    assert {k: accepted[k] for k in (12, 16, 20)} == {
        12: (0.59, 129), 16: (0.88, 619), 20: (0.94, 369),
    }  # fmt: skip


@needs_data
def test_the_shipped_priors_are_what_the_command_writes(tacit, tmp_path):
    (tmp_path / "priors").mkdir()
    result = tacit("prior", "fit", str(DATA), "-o", "priors")
    assert (result.code, result.err) == (0, "")
    assert ".051 [.048, .055]" in result.out
    written = sorted(tmp_path.glob("priors/*"))
    assert [path.stem for path in written] == SHIPPED
    for path in written:
        assert path.read_bytes() == (ROOT / "configs" / "priors" / path.name).read_bytes()


# --- damaged data ---------------------------------------------------------------------------------

DAMAGES = [
    (MESSAGES, lambda text: text.replace("receiver_believes", "believes"),
     "receiver_believes: messages.csv has no column 'receiver_believes'"),
    (MESSAGES, lambda text: text.replace("False,True,5", "False,nan,5"),
     "line 3: receiver_believes cannot be 'nan'"),
    (MESSAGES, lambda text: text.replace("False,True,5", "False,,5"),
     "line 3: receiver_believes cannot be ''"),
    (MESSAGES, lambda text: text.replace("False,True,5", "false,True,5"),
     "sender_truthful cannot be 'false'. Did you mean 'False'"),
    (MESSAGES, lambda text: text.replace("False,True,5", "False"), "another number of cells"),
    (MESSAGES, lambda text: text.splitlines()[0] + "\n", "has no rows below its header"),
    (MESSAGES, lambda text: "", "is empty"),
    (MESSAGES, lambda text: text.replace("False,", "True,"),
     "no message with sender_truthful False"),
    (MESSAGES, lambda text: text.replace("True", "T\0rue"), "holds zero bytes"),
    (CLAIMS, lambda text: text.replace("no_need", "top"), "holds no claim 'no_need'"),
    (OFFERS, lambda text: text.replace("2,1,submit,12", "2,1,submit,nan"),
     "line 6: points_other must be a whole number from 0 to 36, got 'nan'"),
    (OFFERS, lambda text: text.replace("2,1,submit,12", "2,1,submit,37"), "got '37'"),
    (OFFERS, lambda text: text.replace("2,1,submit,12\n", ""),
     "nothing was proposed to party 2 of dialogue 2, but it does 'accept'"),
    (OFFERS, lambda text: text.replace("4,2,submit,36\n4,1,accept,\n", ""),
     "no proposal of 24 points or a few more was answered"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "damage", "told"), DAMAGES)
def test_a_damaged_file_ends_in_one_line_and_code_2(name, damage, told, folder, tacit):
    path = folder / name
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    lines = mistake_lines(tacit("prior", "fit", str(folder), "--any-file"))
    assert len(lines) == 1
    assert told in lines[0]
    assert path.name in lines[0]


def test_all_damaged_files_are_named_at_once(folder, tacit):
    (folder / CLAIMS).unlink()
    (folder / OFFERS).write_text("a,b\n1,2\n", encoding="utf-8")
    lines = mistake_lines(tacit("prior", "fit", str(folder), "--any-file"))
    assert any("claims.csv: there is no such file" in line for line in lines)
    assert any("offers.csv has no column 'act'" in line for line in lines)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1252"])
def test_other_encodings_are_read(encoding, folder):
    expected = read_human_claims(folder, any_file=True)
    for name in SMALL:
        text = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding=encoding)
    found = read_human_claims(folder, any_file=True)
    assert found.rows() == expected.rows()
    assert found.hashes.keys() == expected.hashes.keys()


def test_other_bytes_than_the_known_ones_are_refused(folder, tacit):
    lines = mistake_lines(tacit("prior", "fit", str(folder)))
    assert len(lines) == len(KNOWN)
    assert all("it was altered" in line and "--any-file" in line for line in lines)


@needs_data
def test_one_altered_row_is_found(tmp_path, tacit):
    shutil.copytree(DATA, tmp_path / "copy")
    path = tmp_path / "copy" / OFFERS
    path.chmod(0o644)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("accept", "reject", 1), encoding="utf-8")
    (line,) = mistake_lines(tacit("prior", "fit", str(tmp_path / "copy")))
    assert "offers.csv: is not the file that is known" in line


def test_folders_that_are_not_there(folder, tacit):
    assert "DIR: there is no folder" in mistake_lines(tacit("prior", "fit", "nowhere"))[0]
    lines = mistake_lines(tacit("prior", "fit", str(folder), "--any-file", "-o", "nowhere"))
    assert lines == ["-o: there is no folder 'nowhere'."] or "nowhere" in lines[0]


# --- what ships -----------------------------------------------------------------------------------


def test_the_shipped_priors_say_where_they_come_from():
    """Without the data: every figure has n, interval and a source with licence and hash."""
    assert sorted(files.names("priors")) == SHIPPED
    for name in SHIPPED:
        prior = read_prior(name, "PRIOR")
        for key, figure in prior.every_figure():
            share = wilson(figure.count, figure.n)
            assert [figure.value, figure.low, figure.high] == pytest.approx(
                [share.mean, share.low, share.high], abs=5e-7
            ), (name, key)
            source = prior.sources[figure.source]
            if source.file:
                assert source.sha256 == KNOWN[source.file]
                assert source.licence == "CC BY 4.0"
                assert source.changes
            else:
                assert source.licence.startswith("unknown: aggregates only")
        text = (ROOT / "configs" / "priors" / f"{name}.yaml").read_text(encoding="utf-8")
        assert text.startswith("# Fitted by: tacit prior fit human_claims -o priors\n")


def test_figures_of_the_shipped_priors():
    """What the issue and the data's description say, whether or not the data are here."""
    b0 = {name: read_prior(name, "PRIOR").figures for name in SHIPPED}
    assert round(b0["supplier_diplomacy"]["false_claim"].value, 4) == 0.0513
    assert round(b0["supplier_campsite"]["false_claim"].value, 3) == 0.025
    assert round(1 - b0["buyer_people"]["suspicion"].value, 3) == 0.951
    assert round(1 - b0["buyer_lied_to"]["suspicion"].value, 3) == 0.862
    limits = b0["supplier_diplomacy"]["false_final"]
    assert (round(limits.value, 3), round(limits.low, 3), round(limits.high, 3)) == (
        0.361, 0.252, 0.486,
    )  # fmt: skip


def test_a_shipped_prior_in_the_bluffing_market():
    """The two rows on which the closed form of bluffing is about."""
    market = make_market("procurement")
    seller = prior_table(read_prior("supplier_diplomacy", "P"), market, "supplier_0").table
    bluff = market.role("supplier").encode_action(price=0.8, claim="scarce")
    assert market.analysis.policy_figures(
        [seller, prior_table(read_prior("buyer_people", "P"), market, "buyer_0").table]
    ) == pytest.approx({"bluff_rate": 887 / 17_289, "accept_rate": 1 - 778 / 15_783}, abs=5e-7)
    assert seller[0, bluff] == pytest.approx(887 / 17_289, abs=5e-7)
    assert np.all(seller.sum(axis=1) == pytest.approx(1))


def test_no_row_of_the_data_is_in_the_project():
    for path in (ROOT / "configs" / "priors").iterdir():
        assert path.stat().st_size < 5_000
        assert path.suffix == ".yaml"


def test_an_unknown_prior_names_the_nearest():
    with pytest.raises(ConfigError, match=r"unknown prior 'buyer_peple'\. Did you mean 'buyer_peo"):
        read_prior("buyer_peple", "PRIOR")
