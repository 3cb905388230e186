"""The entities file as the launcher reads it."""

from pathlib import Path

import pytest
from launcher.entities import read_entities
from launcher.folders import checkout
from launcher.trouble import Trouble


def test_the_shipped_file_deploys_all_five_services_for_two_entities() -> None:
    entities = read_entities(checkout() / "entities.toml")
    assert entities.deployed == ("invoice", "payment", "credit", "dunning", "reporting")
    assert entities.codes == ("US01", "DE01")


def test_services_start_in_the_order_of_their_ports(tmp_path: Path) -> None:
    path = tmp_path / "two.toml"
    path.write_text('deployed = ["reporting", "payment"]\n')
    assert read_entities(path).deployed == ("payment", "reporting")


@pytest.mark.parametrize("content", ['deployed = ["billing"]', "deployed = ["])
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(content)
    with pytest.raises(Trouble, match=r"wrong\.toml"):
        read_entities(path)


def test_a_missing_file_is_refused_with_the_way_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="ENTITIES="):
        read_entities(tmp_path / "none.toml")
