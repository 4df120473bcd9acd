import { createPrivateKey, generateKeyPairSync, KeyObject } from "node:crypto"
import { type JwtKey, type JwtOptions, jwt } from "holdfast/auth/jwt"
import { SignJWT } from "jose"
import { describe, expect, it } from "vitest"
import { claimsOf, makeKeys, pemOf, SECRET, sign, signHmac } from "../../support/auth-tokens.js"
import { cert, key as privatePem } from "../../support/server-certificate.js"

const HS = { algorithms: ["HS256"], key: SECRET } as const
const JWKS = { algorithms: ["ES256"], jwks: "https://id.test/keys" } as const
const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 }).publicKey
const shortRsa = generateKeyPairSync("rsa", { modulusLength: 1_024 }).publicKey

describe("S47: jwt refuses at construction", () => {
  it.each<[what: string, options: object, message: RegExp]>([
    ["no algorithms", { key: SECRET }, /^algorithms must be a list of those that tokens may be signed with/],
    ["an empty list of algorithms", { ...HS, algorithms: [] }, /^algorithms must be a list/],
    ["the algorithm none", { ...HS, algorithms: ["none"] }, /^algorithms must be one of .* received "none"$/],
    ["an algorithm nobody knows", { ...HS, algorithms: ["HS257"] }, /received "HS257"$/],
    [
      "HS beside RS",
      { key: rsa, algorithms: ["RS256", "HS256"] },
      /^algorithms must be either all HS or none/,
    ],
    ["HS with published keys", { ...JWKS, algorithms: ["HS256"] }, /^algorithms must be others than HS/],
    ["neither key nor jwks", { algorithms: ["HS256"] }, /either key or jwks, received "neither"$/],
    ["both key and jwks", { ...JWKS, key: rsa }, /either key or jwks, received "both"$/],
    ["a key set without an address", { ...JWKS, jwks: "id.test" }, /^jwks must be .* received "id\.test"$/],
    // the first threw an error of the language's own, and the second one of jose's
    ["no key set", { ...JWKS, jwks: null as never }, /^jwks must be an http or https/],
    [
      "a key set without keys",
      { ...JWKS, jwks: { keys: [null] } as never },
      /^jwks must be an http or https/,
    ],
    ["a key set in a file", { ...JWKS, jwks: "file:///keys.json" }, /^jwks must be an http or https/],
    ["an unknown option", { ...HS, algorithm: "HS256" }, /^jwt\.algorithm must be one of/],
    ["no places", { ...HS, from: [] }, /^from must be at least one source/],
    ["an unknown place", { ...HS, from: "body" }, /^from must be one of .* received "body"$/],
    ["two places in one", { ...HS, from: { cookie: "a", query: "b" } }, /^from must be one of/],
    [
      "a cookie without a name",
      { ...HS, from: { cookie: "" } },
      /^from\.cookie must be a name, received ""$/,
    ],
    [
      "a prefix no subprotocol has",
      { ...HS, from: { subprotocol: "a b" } },
      /^from\.subprotocol must be a name/,
    ],
    ["a tolerance below zero", { ...HS, clockToleranceS: -1 }, /^clockToleranceS must be .* received -1$/],
    ["an issuer that is no string", { ...HS, issuer: [7] }, /^issuer must be a string/],
    ["no audience in a list", { ...HS, audience: [] }, /^audience must be a string/],
    ["an empty userId", { ...HS, userId: "" }, /^userId must be a claim/],
    ["data that is no function", { ...HS, data: "name" }, /^data must be a function, received "name"$/],
    ["a close code that cannot be sent", { ...HS, closeCode: 1006 }, /^closeCode must be .* received 1006$/],
    ["half a millisecond", { ...JWKS, jwksTimeoutMs: 1.5 }, /^jwksTimeoutMs must be a whole number/],
  ])("%s", (_, options, message) => {
    expect(() => jwt(options as JwtOptions)).toThrow(message)
    expect(() => jwt(options as JwtOptions)).toThrow(TypeError)
  })

  it.each<[what: string, key: unknown, algorithm: string, message: string]>([
    [
      "a short secret",
      "only-these-few",
      "HS256",
      'a secret of at least 32 bytes for HS256, received "a secret of 14 bytes"',
    ],
    [
      "a public key for a secret",
      pemOf(rsa),
      "HS256",
      'a secret of at least 32 bytes for HS256, received "rsa, 2048 bits"',
    ],
    [
      "a secret for a public key",
      SECRET,
      "RS256",
      'an RSA key of at least 2048 bits for RS256, received "a secret of 64 bytes"',
    ],
    [
      "a short RSA key",
      shortRsa,
      "PS256",
      'an RSA key of at least 2048 bits for PS256, received "rsa, 1024 bits"',
    ],
    ["an RSA key for a curve", rsa, "ES256", 'a key on the curve P-256 for ES256, received "rsa, 2048 bits"'],
    [
      "what is no key",
      { secret: SECRET },
      "RS256",
      'a secret, a public key in PEM, a JWK, or a key object, received "unreadable object"',
    ],
    [
      "PEM that is none",
      `-----BEGIN PUBLIC KEY-----\n${SECRET}\n-----END PUBLIC KEY-----`,
      "RS256",
      'a secret, a public key in PEM, a JWK, or a key object, received "unreadable string"',
    ],
  ])("%s, without repeating it", (_, key, algorithm, message) => {
    const options = { key, algorithms: [algorithm] } as JwtOptions
    expect(() => jwt(options)).toThrow(`key must be ${message}`)
  })
})

describe("S47: jwt takes a key", () => {
  it.each([
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
  ] as const)("of %s, in every form", async (algorithm) => {
    const keys = await makeKeys(algorithm)
    const token = await sign(keys)
    const key = KeyObject.from(keys.publicKey)
    const forms: JwtKey[] = [key, keys.publicKey, pemOf(key), keys.jwk, KeyObject.from(keys.privateKey)]
    for (const form of forms) {
      const { userId } = await jwt({ key: form, algorithms: [algorithm] }).verify(token)
      expect(userId).toBe("ada")
    }
  })

  it.each(["HS256", "HS384", "HS512"] as const)("of %s, in every form", async (algorithm) => {
    const token = await signHmac({}, SECRET, algorithm)
    const bytes = Buffer.from(SECRET)
    const forms: JwtKey[] = [SECRET, new Uint8Array(bytes), { kty: "oct", k: bytes.toString("base64url") }]
    for (const form of forms) {
      const { userId } = await jwt({ key: form, algorithms: [algorithm] }).verify(token)
      expect(userId).toBe("ada")
    }
  })

  it.each([
    ["a certificate", cert],
    ["a private key, of which it takes the public part", privatePem],
  ])("in the PEM of %s", async (_, pem) => {
    const token = await new SignJWT(claimsOf())
      .setProtectedHeader({ alg: "ES256" })
      .sign(createPrivateKey(privatePem))
    expect((await jwt({ key: pem, algorithms: ["ES256"] }).verify(token)).userId).toBe("ada")
  })

  it("from a set, by its id", async () => {
    const [one, two] = [await makeKeys("ES256", "one"), await makeKeys("ES256", "two")]
    const login = jwt({ jwks: { keys: [one.jwk, two.jwk] }, algorithms: ["ES256"] })
    expect((await login.verify(await sign(two, { sub: "bob" }))).userId).toBe("bob")
    const stranger = await makeKeys("ES256", "three")
    await expect(login.verify(await sign(stranger))).rejects.toMatchObject({ check: "key" })
  })
})
