/* Tokens and keys for the tests of this folder. The keys are those of RFC 7515 (appendix A.2 and A.3) and RFC
 * 8037; TOKEN_TEXT was signed by node's crypto module:
 * {"iss":"https://issuer.test","sub":"alice","aud":"app",
 * "iat":1767225600,"exp":4102444800,"name":"Alice","email":"alice@example.com","level":3}. */
#ifndef TESTS_MOCK_CONVEX_TOKENS_H
#define TESTS_MOCK_CONVEX_TOKENS_H

#include "base/json.h"
#include "base/jwt.h"

#define TOKEN_TEXT                                                                                           \
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0Iiwic3ViIjo"   \
    "iYWxpY2UiLCJhdWQiOiJhcHAiLCJpYXQiOjE3NjcyMjU2MDAsImV4cCI6NDEwMjQ0NDgwMCwibmFtZSI6IkFsaWNlIiwiZW1haWw"   \
    "iOiJhbGljZUBleGFtcGxlLmNvbSIsImxldmVsIjozfQ.NIED6mugJdOdzDOYZQGBIRQKDJYO0G7-q6RvA8IoKPSnX9V7I0Xlgd-a"   \
    "d4XboYD4wzMY4I47vhrUKnqUekiIBvdvCRiCEdt2ZAUxJVNQ8W4VpaVC08G6oPIlim6tLxpCMWrr8caLXpTzbTJ19OCh0NGUThB_"   \
    "zLMRhR0vLKq95EffHmS9AFfUVZCFqFYS1-vfTxNYZyHZkEDbu_CLi8NKQENVLUln9iTsmAHxIF0Dv90r0uP_v09GUEFiabjEUYUg"   \
    "Z7HRbsCSzga12CoDu4zx23L8WvJIdI4oJZPedsFlPnHaMw2hZprQuAfhELkq_tYxeVS4ZUv3vK3Fo7j0AmdRdA"

#define FIXTURE_JWKS                                                                                         \
    "data:application/json;base64,eyJrZXlzIjpbeyJrdHkiOiJSU0EiLCJuIjoib2ZnV0N1TGp5YlJsem8wdFpXSmpOaXVTZmI"   \
    "0cDRmQWtkX3dXSmN5UW9UYmppOWswbDhXMjZtUGRkeEhtZkhRcC1WYXctNHFQQ0pyY1MybUpQTUV6UDFQdDBCbTRkNFFsTC15UlQ"   \
    "tU0ZkMmxaUy1wQ2dOTXNEMVdfWXBSUEV3T1d2RzZiMzI2OTByMmpaNDdzb01abzl3R3pqYl83T01nMExPTC1iU2Y2M2twYVNIU1h"   \
    "uZFM1ejVyZXhNZGJCWVVzTEE5ZS1LWEJkUU9TLVVUbzdXVEJFTWEyUjJDYXBIZzY2NXhzbXRkVk1UQlFZNHVEWmx4dmIzcUNvNVp"   \
    "3S2g5a0c0TFQ2X0k1SWhsSkg3YUdoeXhYRnZVSy1EV05tb3VkRjhOQWNvOV9oOWlhR05qOHEyZXRoRmtNTHM5MWt6azJQQWNEVFc"   \
    "5Z2I1NGg0RlJXeXVYcG9RIiwiZSI6IkFRQUIiLCJraWQiOiJyc2EiLCJhbGciOiJSUzI1NiIsInVzZSI6InNpZyJ9XX0="

#define FIXTURE_PRIVATE_KEY                                                                                  \
    "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-"         \
    "4qPCJrcS2mJPM"                                                                                          \
    "EzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5"   \
    "rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-D"   \
    "WNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\",\"d\":"                   \
    "\"Eq5xpGnNCivDflJsRQBXHx"                                                                               \
    "1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoV"   \
    "En2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2"   \
    "QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjncz"   \
    "T0QU91p1DhOVRuOopznQ\",\"kid\":\"rsa\",\"alg\":\"RS256\"}"

#define FIXTURE_EC_KEY                                                                                       \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_"     \
    "FEzRu9m36HLN_tue6"                                                                                      \
    "59LNpXW6pCyStikYjKIWI5a0\",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\",\"kid\":\"ec\","       \
    "\"alg\":\"ES256\""                                                                                      \
    "}"

#define FIXTURE_ED_KEY                                                                                       \
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\",\"x\":"      \
    "\"11qYAYKxCrfVS_7T"                                                                                     \
    "yWQHOg7hcvPapiMlrwIaaPcHURo\",\"kid\":\"ed\",\"alg\":\"EdDSA\"}"

#define TOKEN "Bearer " TOKEN_TEXT

/* A token signed with one of the keys above. The caller frees the text. */
static inline char *token_sign(const char *private_key, const json_t *claims) {
    struct jwt_key *key = NULL;
    json_t *jwk = json_parse(private_key, strlen(private_key), NULL);
    assert_int_equal(jwt_key_from_jwk(jwk, &key, NULL), STATUS_OK);
    char *token = jwt_sign(key, claims);
    jwt_key_free(key);
    json_decref(jwk);
    return token;
}

/* Claims that the fixture's provider takes, of a token that begins at the start of the world. */
static inline json_t *token_claims(const char *subject, long long expires) {
    return json_pack("{s:s,s:s,s:s,s:I}", "iss", "https://issuer.test", "sub", subject, "aud", "app", "exp",
                     (json_int_t)expires);
}

#endif
