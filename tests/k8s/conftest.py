import pytest

from api_server import ApiServer


@pytest.fixture
def api():
    server = ApiServer()
    yield server
    server.close()
