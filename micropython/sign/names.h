// SPDX-License-Identifier: MIT
// Names of tinyssh that the linker sees: other people's firmware may have them too.
#ifndef SDB_SIGN_NAMES_H
#define SDB_SIGN_NAMES_H

#define cleanup_ sdb_cleanup_
#define crypto_hash_sha512_tinyssh sdb_crypto_hash_sha512_tinyssh
#define crypto_verify_32_tinyssh sdb_crypto_verify_32_tinyssh
#define fe25519_add sdb_fe25519_add
#define fe25519_frombytes sdb_fe25519_frombytes
#define fe25519_inv sdb_fe25519_inv
#define fe25519_isnegative sdb_fe25519_isnegative
#define fe25519_isnonzero sdb_fe25519_isnonzero
#define fe25519_mul sdb_fe25519_mul
#define fe25519_mul121666 sdb_fe25519_mul121666
#define fe25519_neg sdb_fe25519_neg
#define fe25519_pow22523 sdb_fe25519_pow22523
#define fe25519_sq sdb_fe25519_sq
#define fe25519_sub sdb_fe25519_sub
#define fe25519_tobytes sdb_fe25519_tobytes
#define fe_0 sdb_fe_0
#define fe_1 sdb_fe_1
#define fe_cmov sdb_fe_cmov
#define fe_copy sdb_fe_copy
#define fe_cswap sdb_fe_cswap
#define fe_mul_ sdb_fe_mul_
#define fe_reducesmall sdb_fe_reducesmall
#define fe_sq_ sdb_fe_sq_
#define ge25519_add sdb_ge25519_add
#define ge25519_frombytes_negate_vartime sdb_ge25519_frombytes_negate_vartime
#define ge25519_scalarmult sdb_ge25519_scalarmult
#define ge25519_scalarmult_base sdb_ge25519_scalarmult_base
#define ge25519_tobytes sdb_ge25519_tobytes
#define sc25519_muladd sdb_sc25519_muladd
#define sc25519_reduce sdb_sc25519_reduce

#endif
