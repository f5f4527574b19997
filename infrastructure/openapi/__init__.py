"""The API's description (OpenAPI 3.1.1), made from the routes and schemas of the functions.

Following it: ``routes`` (what the functions declare, and the template lets through) → ``document`` (all of it) →
``operations`` (one route) → ``responses`` (what it may answer), ``problems`` (what goes wrong), ``schemas`` (shapes),
``links`` (what to call next).

The description is written to ``functions/pages`` by ``make openapi``, and committed there: the function that serves it
needs none of the others, and a change of the API is seen in the change of that file. A test holds the file equal to
the code.
"""
