// Single tokens of the protocols, made and read: what a flow exchanges, one at a time.
import {Oauth2AuthorizationServer, Oauth2Client, clientAuthenticationClientAttestationJwt, resourceRequest} from '@openid4vc/oauth2';
import {Openid4vciClient, Openid4vciIssuer, Openid4vciWalletProvider, verifyKeyAttestationJwt} from '@openid4vc/openid4vci';
import {attestation} from './holding.mjs';
import * as keys from './keys.mjs';

const later = from => new Date(Date.now() + from * 1000);
const oauth = () => new Oauth2AuthorizationServer({callbacks: keys.callbacks()});
const provider = () => new Openid4vciWalletProvider({callbacks: keys.callbacks()});

export const OPS = {
  async dpop({url, method, accessToken, nonce}) {
    const publicJwk = await keys.make();
    let proof;
    await resourceRequest({
      url, accessToken, dpop: {signer: {method: 'jwk', alg: 'ES256', publicJwk}, nonce}, requestOptions: {method},
      callbacks: keys.callbacks({fetch: async (_, {headers}) => {
        proof = headers.DPoP;
        return new Response('{}');
      }})});
    return {proof, jkt: await keys.thumbprint(publicJwk)};
  },
  async verifyDpop({proof, url, method, accessToken, nonce}) {
    const read = await oauth().verifyDpopJwt({
      dpopJwt: proof, request: {url, method, headers: new Headers()}, accessToken, expectedNonce: nonce, allowedSigningAlgs: ['ES256']});
    return {jkt: read.jwkThumbprint};
  },
  async clientAttestation({clientId, audience, signing}) {
    const {signer} = await keys.load(signing);
    const jwk = await keys.make();
    const attestation = await provider().createWalletAttestationJwt({
      clientId, issuer: 'https://wallet-provider.example', confirmation: {jwk}, issuedAt: new Date(), expiresAt: later(600), signer});
    const headers = new Headers();
    const authenticate = clientAuthenticationClientAttestationJwt({clientAttestationJwt: attestation, callbacks: keys.callbacks()});
    await authenticate({headers, authorizationServerMetadata: {issuer: audience}});
    return {attestation: headers.get('OAuth-Client-Attestation'), pop: headers.get('OAuth-Client-Attestation-PoP'), jkt: await keys.thumbprint(jwk)};
  },
  async verifyClientAttestation({attestation, pop, audience}) {
    const read = await oauth().verifyClientAttestation({
      authorizationServer: audience, clientAttestationJwt: attestation, clientAttestationPopJwt: pop});
    return {clientId: read.clientAttestation.payload.sub, jkt: await keys.thumbprint(read.clientAttestation.payload.cnf.jwk)};
  },
  async keyAttestation({count, nonce, use, signing, typ}) {
    const {signer} = await keys.load(signing);
    const attestedKeys = await Promise.all(Array.from({length: count}, () => keys.make()));
    const token = await attestation({
      attestedKeys, nonce, use, issuedAt: new Date(), expiresAt: later(600), signer, keyStorage: ['iso_18045_basic']}, typ);
    return {token, keys: attestedKeys};
  },
  async verifyKeyAttestation({token, nonce, use}) {
    const read = await verifyKeyAttestationJwt({keyAttestationJwt: token, expectedNonce: nonce, use, callbacks: keys.callbacks()});
    return {keys: read.payload.attested_keys, storage: read.payload.key_storage};
  },
  async signMetadata({metadata, signing}) {
    const {signer} = await keys.load(signing);
    return {token: await new Openid4vciIssuer({callbacks: keys.callbacks()}).createSignedCredentialIssuerMetadataJwt({
      credentialIssuerMetadata: metadata, issuedAt: new Date(), expiresAt: later(600), signer})};
  },
  async openMetadata({token, server}) {
    const answer = (body, type) => new Response(body, {headers: {'Content-Type': type}});
    const fetch = async url => String(url).includes('credential-issuer') ? answer(token, 'application/jwt') :
      answer(JSON.stringify(server), 'application/json');
    const made = new Openid4vciClient({callbacks: keys.callbacks({fetch})});
    const read = await made.resolveIssuerMetadata(server.issuer);
    return {method: read.signedCredentialIssuer.signer.method, version: read.originalDraftVersion, known: Object.keys(read.knownCredentialConfigurations)};
  },
  async verifyProof({jwt, nonce, issuer}) {
    const read = await new Openid4vciIssuer({callbacks: keys.callbacks()}).verifyCredentialRequestJwtProof({
      jwt, expectedNonce: nonce, issuerMetadata: {credentialIssuer: {credential_issuer: issuer}}});
    return {method: read.signer.method, attested: read.keyAttestation?.payload.attested_keys};
  },
  async pushed({form, headers = {}, url}) {
    const read = await oauth().parsePushedAuthorizationRequest({
      authorizationRequest: form, request: {method: 'POST', url, headers: new Headers(headers)}});
    return {request: read.authorizationRequest};
  },
  async callback({url, server}) {
    const made = new Oauth2Client({callbacks: keys.callbacks()});
    const authorizationResponse = made.parseAuthorizationResponseRedirectUrl({url});
    made.verifyAuthorizationResponse({authorizationResponse, authorizationServerMetadata: server});
    return {response: authorizationResponse};
  }
};
