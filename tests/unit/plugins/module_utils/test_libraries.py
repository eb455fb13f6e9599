"""Libraries that are missing, and those that do not work."""

from __future__ import annotations

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils import _errors, _libraries
from ansible_collections.identityops.entra_risk.plugins.module_utils._libraries import library_error


@pytest.mark.parametrize(
    ("cause", "is_missing"),
    [
        (ModuleNotFoundError("No module named 'msal'", name="msal"), True),
        (ModuleNotFoundError("No module named 'jwt'", name="jwt"), False),
        (ModuleNotFoundError("No module named 'msal.oauth2cli'", name="msal.oauth2cli"), False),
        (ImportError("cannot import name 'x' from 'msal'", name="msal"), False),
        (ImportError("libffi.so.7: cannot open shared object file"), False),
        (AttributeError("module 'lib' has no attribute 'X509_V_FLAG_NOTIFY_POLICY'"), False),
        (SyntaxError("invalid syntax"), False),
    ],
)
def test_missing_and_broken_are_two_things(cause: BaseException, is_missing: bool) -> None:
    error = library_error("msal>=1.35", cause)
    assert isinstance(error, _errors.MissingLibraryError if is_missing else _libraries.BrokenLibraryError)
    assert error.kind == "credentials" and type(cause).__name__ in str(error.trace)
    assert "msal" in str(error) and "\n" not in str(error)
    assert ("pip install --force-reinstall msal" in str(error)) is not is_missing


def test_a_failure_that_is_no_exception_is_turned_into_ours() -> None:
    class PanicException(BaseException):
        pass

    words = r"The Python library x is installed .*PanicException: Python API call failed"
    with pytest.raises(_libraries.BrokenLibraryError, match=words), _libraries.working_library("x"):
        raise PanicException("Python API\n call failed")


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), SystemExit(1), _errors.LoginError("ours")])
def test_endings_and_our_errors_pass(ending: BaseException) -> None:
    with pytest.raises(type(ending)) as caught, _libraries.working_library("x"):
        raise ending
    assert caught.value is ending
