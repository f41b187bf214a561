"""The names that contract files import, for editors and type checkers; nothing here runs.

`__init__.pyi` beside this file has them, with what each takes and gives. A contract is read and run by Hansa, never by
Python itself: what imports this module at run time is told so, and what to do instead.
"""

raise ImportError(
    "contract files are not run by Python: Hansa reads them, checks them and runs what they declare itself. "
    "`hansa contract check FILE` says what is wrong with a file, `hansa contract run FILE ACTION name=value` tries an "
    "action, `hansa.testing` has what tests of contracts need"
)
