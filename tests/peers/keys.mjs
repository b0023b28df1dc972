// Keys: what the protocol libraries leave to their caller, which is all of the cryptography.
//
// Private keys live here, found by the thumbprint of their public part. Certificates are believed when they end at an
// authority of the files in FACET_ANCHORS (a JSON array of paths), and never because they are sent along.
import * as jose from 'jose';
import {X509Certificate, createHash, createPublicKey, randomBytes} from 'node:crypto';
import {readFileSync} from 'node:fs';

const kept = new Map();
const anchors = JSON.parse(process.env.FACET_ANCHORS ?? '[]').map(path => new X509Certificate(readFileSync(path)));

export const encode = value => Buffer.from(value).toString('base64url');
export const thumbprint = jwk => jose.calculateJwkThumbprint(jwk);
export const random = length => encode(randomBytes(length));

export const hash = (data, algorithm) => new Uint8Array(
  createHash(algorithm.replace('-', '')).update(typeof data === 'string' ? data : Buffer.from(data)).digest());

export async function keep(privateKey, alg) {
  const {d, ...publicJwk} = await jose.exportJWK(privateKey);
  kept.set(await thumbprint(publicJwk), {privateKey, alg, publicJwk});
  return publicJwk;
}

export async function make(alg = 'ES256') {
  const options = {extractable: true, ...(alg === 'EdDSA' && {crv: 'Ed25519'})};
  return keep((await jose.generateKeyPair(alg, options)).privateKey, alg);
}

export async function load({key, chain, alg = 'ES256'}) {
  const jwk = await keep(await jose.importPKCS8(readFileSync(key, 'ascii'), alg, {extractable: true}), alg);
  const pem = readFileSync(chain, 'ascii').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  const x5c = pem.map(one => new X509Certificate(one).raw.toString('base64'));
  return {jwk, x5c, signer: {method: 'x5c', alg, x5c, kid: undefined}};
}

export const privateKeyOf = async jwk => {
  const found = kept.get(await thumbprint(jwk));
  if(!found) {
    throw new Error('this key is not ours');
  }
  return found;
};

const certificate = text => new X509Certificate(Buffer.from(text, 'base64'));
const leafJwk = x5c => certificate(x5c[0]).publicKey.export({format: 'jwk'});

/** The leaf's key, when the chain ends at an authority that was known before. */
export function believed(x5c) {
  const chain = x5c.map(certificate);
  const now = new Date();
  for(const one of chain) {
    if(new Date(one.validFrom) > now || new Date(one.validTo) < now) {
      throw new Error('a certificate is not valid now');
    }
  }
  chain.forEach((one, place) => {
    const above = chain[place + 1];
    const signed = (above ? [above] : anchors).some(by => one.checkIssued(by) && one.verify(by.publicKey));
    if(!signed) {
      throw new Error('a certificate of the chain is signed by nobody we know');
    }
  });
  if(chain.some(one => anchors.some(anchor => anchor.raw.equals(one.raw)))) {
    throw new Error('the chain brings its own authority along');  // HAIP 1.0 forbids it
  }
  return leafJwk(x5c);
}

/** Two methods that need no network, and did:web, which does. */
export async function resolved(didUrl) {
  const [did, fragment] = didUrl.split('#');
  if(did.startsWith('did:jwk:')) {
    return JSON.parse(Buffer.from(did.slice(8), 'base64url'));
  }
  if(!did.startsWith('did:web:')) {
    throw new Error(`no such method here: ${did}`);
  }
  const [host, ...path] = did.slice(8).split(':').map(decodeURIComponent);
  const place = path.length ? `${path.join('/')}/did.json` : '.well-known/did.json';
  const document = await (await fetch(`https://${host}/${place}`)).json();
  const method = document.verificationMethod.find(one => one.id === didUrl || one.id === `#${fragment}`);
  return method.publicKeyJwk ?? multikey(method.publicKeyMultibase);
}

function multikey(text) {
  const bytes = base58(text.slice(1));
  if(bytes[0] !== 0x80 || bytes[1] !== 0x24) {
    throw new Error('only P-256 multikeys are read here');
  }
  const spki = Buffer.concat([Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'), bytes.subarray(2)]);
  return createPublicKey({key: spki, format: 'der', type: 'spki'}).export({format: 'jwk'});
}

function base58(text) {
  const digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  let number = [...text].reduce((sum, letter) => sum * 58n + BigInt(digits.indexOf(letter)), 0n).toString(16);
  number = number.length % 2 ? `0${number}` : number;
  return Buffer.from(number, 'hex');
}

/** Verifier attestation (OpenID4VP 1.0 §12): who attests is known by certificate, and the attested key has signed. */
async function attested({jwt}, audience) {
  if(!jwt) {
    throw new Error('nobody vouches for this signer');
  }
  const {alg, typ, x5c} = jose.decodeProtectedHeader(jwt);
  await jose.compactVerify(jwt, await jose.importJWK(believed(x5c), alg));
  const {sub, exp, cnf} = jose.decodeJwt(jwt);
  if(typ !== 'verifier-attestation+jwt' || `verifier_attestation:${sub}` !== audience || exp < Date.now() / 1000) {
    throw new Error('this attestation is no good');
  }
  return cnf.jwk;
}

async function keyOf(signer, {header, payload}) {
  switch(signer.method) {
    case 'jwk': return signer.publicJwk;
    case 'x5c': return believed(signer.x5c);
    case 'did': return resolved(signer.didUrl);
    default: return attested(header, payload.client_id);
  }
}

async function signJwt(signer, {header, payload}) {
  const publicJwk = signer.method === 'x5c' ? leafJwk(signer.x5c) :
    signer.method === 'did' ? await resolved(signer.didUrl) : signer.publicJwk;
  const {privateKey} = await privateKeyOf(publicJwk);
  const bytes = new TextEncoder().encode(JSON.stringify(payload));
  const jwt = await new jose.CompactSign(bytes).setProtectedHeader(header).sign(privateKey);
  return {jwt, signerJwk: publicJwk};
}

async function verifyJwt(signer, {compact, ...token}) {
  const jwk = await keyOf(signer, token);
  try {
    await jose.compactVerify(compact, await jose.importJWK(jwk, signer.alg), {algorithms: [signer.alg]});
  } catch{
    return {verified: false};
  }
  return {verified: true, signerJwk: jwk};
}

async function encryptJwe({publicJwk, alg, enc, apu, apv}, text) {
  const header = {alg, enc, kid: publicJwk.kid};
  const sealed = new jose.CompactEncrypt(new TextEncoder().encode(text)).setProtectedHeader(header);
  const parties = {...(apu && {apu: Buffer.from(apu, 'base64url')}), ...(apv && {apv: Buffer.from(apv, 'base64url')})};
  const jwe = await sealed.setKeyManagementParameters(parties).encrypt(await jose.importJWK(publicJwk, alg));
  return {jwe, encryptionJwk: publicJwk};
}

async function decryptJwe(jwe, {jwk} = {}) {
  if(!jwk) {
    return {decrypted: false};
  }
  const {privateKey, publicJwk} = await privateKeyOf(jwk);
  const {plaintext, protectedHeader} = await jose.compactDecrypt(jwe, privateKey);
  return {decrypted: true, decryptionJwk: publicJwk, payload: new TextDecoder().decode(plaintext), header: protectedHeader};
}

function getX509CertificateMetadata(text) {
  const names = (certificate(text).subjectAltName ?? '').split(', ');
  const of = kind => names.filter(name => name.startsWith(kind)).map(name => name.slice(kind.length));
  return {sanDnsNames: of('DNS:'), sanUriNames: of('URI:')};
}

/** What the libraries call back for. `more` brings a fetch or a way of client authentication of its own. */
export const callbacks = (more = {}) => ({
  hash, generateRandom: length => new Uint8Array(randomBytes(length)), signJwt, verifyJwt, encryptJwe, decryptJwe,
  getX509CertificateMetadata, clientAuthentication: () => {}, fetch: (...given) => fetch(...given), ...more
});
