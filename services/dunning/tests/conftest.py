"""A dunning service with a database of its own."""

from collections.abc import AsyncIterator, Callable

import pytest
from dunning.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test


@pytest.fixture
async def dunning(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("dunning")) as sut:
        yield sut
