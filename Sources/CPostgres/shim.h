#include <postgresql/libpq-fe.h>
#include <string.h>

// Runs a statement with parameters, which lie in one text, each with its end.
static inline PGresult *thaw_postgres_ask(PGconn *connection, const char *statement, const char *parameters, int count) {
    const char *values[8];
    if (count > 8) return 0;
    for (int index = 0; index < count; index++) {
        values[index] = parameters;
        parameters += strlen(parameters) + 1;
    }
    return PQexecParams(connection, statement, count, 0, values, 0, 0, 0);
}

// The class and number of what went wrong, five characters; null where the server did not say.
static inline const char *thaw_postgres_code(const PGresult *result) {
    return PQresultErrorField(result, PG_DIAG_SQLSTATE);
}
