// An issuer and a verifier made of other people's protocol libraries, each on a port of this machine, over TLS.
import {
  Oauth2AuthorizationServer, Oauth2ResourceServer, Oauth2ServerErrorResponseError,
  Oauth2ResourceUnauthorizedError, PkceCodeChallengeMethod, decodeJwt, preAuthorizedCodeGrantIdentifier
} from '@openid4vc/oauth2';
import {Openid4vciIssuer} from '@openid4vc/openid4vci';
import {Openid4vpVerifier, calculateX509HashClientIdPrefixValue} from '@openid4vc/openid4vp';
import {DcqlPresentationResult, DcqlQuery} from 'dcql';
import {readFileSync} from 'node:fs';
import {createServer} from 'node:https';
import * as keys from './keys.mjs';
import * as selective from './selective.mjs';

const PRE_AUTHORIZED = preAuthorizedCodeGrantIdentifier;
const servers = [];
const later = from => new Date(Date.now() + from * 1000);

function refusal(error) {
  if(error instanceof Oauth2ServerErrorResponseError) {
    return {status: error.status ?? 400, json: error.errorResponse};
  }
  if(error instanceof Oauth2ResourceUnauthorizedError) {
    return {status: 401, headers: {'WWW-Authenticate': error.toHeaderValue()}, json: {error: 'invalid_token'}};
  }
  return {status: error.status ?? 400, headers: error.headers, json: error.json ?? {error: 'invalid_request', error_description: String(error.message ?? error).slice(0, 300)}};
}

async function listen({port, tls}, answer) {
  const server = createServer({cert: readFileSync(tls.cert), key: readFileSync(tls.key)}, async (incoming, outgoing) => {
    const chunks = [];
    for await (const chunk of incoming) {
      chunks.push(chunk);
    }
    const request = {
      method: incoming.method, url: `https://localhost:${port}${incoming.url}`, headers: new Headers(incoming.headers),
      path: incoming.url.split('?')[0], query: Object.fromEntries(new URL(incoming.url, 'https://x').searchParams),
      body: Buffer.concat(chunks).toString()
    };
    request.form = Object.fromEntries(new URLSearchParams(request.body));
    let made;
    try {
      made = await answer(request);
    } catch(error) {
      made = refusal(error);
    }
    const {status = 200, headers = {}, json, text = json === undefined ? '' : JSON.stringify(json), type = 'application/json'} = made;
    outgoing.writeHead(status, {'Content-Type': type, 'Cache-Control': 'no-store', ...headers});
    outgoing.end(text);
  });
  await new Promise(done => server.listen(port, '127.0.0.1', done));
  servers.push(server);
}

// --- the issuer ----------------------------------------

const issuer = {};
const CONFIGURATION = 'person';

function described(options) {
  const {url} = issuer;
  const required = options.attested ? {key_attestations_required: {}} : {};
  const proof = {proof_signing_alg_values_supported: ['ES256'], ...required};
  return new Openid4vciIssuer({callbacks: keys.callbacks()}).createCredentialIssuerMetadata({
    credential_issuer: url, credential_endpoint: `${url}/credential`, nonce_endpoint: `${url}/nonce`,
    deferred_credential_endpoint: `${url}/deferred`, notification_endpoint: `${url}/notification`,
    batch_credential_issuance: {batch_size: options.batch ?? 2}, display: [{name: 'Peer desk', locale: 'en'}],
    ...(options.secret && {
      credential_request_encryption: {
        jwks: {keys: [{...issuer.sealKey, kid: 'seal', use: 'enc', alg: 'ECDH-ES'}]},
        enc_values_supported: ['A128GCM', 'A256GCM'], encryption_required: true},
      credential_response_encryption: {
        alg_values_supported: ['ECDH-ES'], enc_values_supported: ['A128GCM', 'A256GCM'], encryption_required: true}}),
    credential_configurations_supported: {[CONFIGURATION]: options.draft ? {
      // as in draft 14: the format's old name, names and claims without a member of their own
      format: 'vc+sd-jwt', vct: options.vct, cryptographic_binding_methods_supported: ['jwk'],
      proof_types_supported: {jwt: proof}, display: [{name: 'Person'}], claims: {given_name: {mandatory: true}}
    } : {
      format: 'dc+sd-jwt', vct: options.vct, scope: 'person', cryptographic_binding_methods_supported: ['jwk'],
      credential_signing_alg_values_supported: ['ES256'],
      proof_types_supported: options.proofType === 'attestation' ? {attestation: proof} : {jwt: proof, attestation: proof},
      credential_metadata: {display: [{name: 'Person', locale: 'en'}], claims: [{path: ['given_name']}]}
    }}
  });
}

const serverDescribed = options => new Oauth2AuthorizationServer({callbacks: keys.callbacks()}).createAuthorizationServerMetadata({
  issuer: issuer.url, token_endpoint: `${issuer.url}/token`, jwks_uri: `${issuer.url}/jwks`,
  authorization_endpoint: `${issuer.url}/authorize`, pushed_authorization_request_endpoint: `${issuer.url}/par`,
  require_pushed_authorization_requests: true, code_challenge_methods_supported: [PkceCodeChallengeMethod.S256],
  grant_types_supported: ['authorization_code', PRE_AUTHORIZED, 'refresh_token'], response_types_supported: ['code'],
  authorization_response_iss_parameter_supported: true, 'pre-authorized_grant_anonymous_access_supported': !options.attestClient,
  token_endpoint_auth_methods_supported: options.attestClient ? ['attest_jwt_client_auth'] : ['none'],
  ...(options.dpop && {dpop_signing_alg_values_supported: ['ES256']})
});

const refuse = (error, status = 400, headers = {}) => Object.assign(new Error(error), {status, headers, json: {error}});

/** Whoever sends a DPoP proof must know a nonce of ours: the one of this server part, for there are two. */
function withNonce(request, part) {
  const proof = request.headers.get('DPoP');
  if(!proof || decodeJwt({jwt: proof}).payload.nonce === issuer.dpopNonces[part]) {
    return;
  }
  const headers = {'DPoP-Nonce': issuer.dpopNonces[part]};
  throw refuse('use_dpop_nonce', part === 'server' ? 400 : 401,
    part === 'server' ? headers : {...headers, 'WWW-Authenticate': 'DPoP error="use_dpop_nonce"'});
}

async function token(request) {
  const {oauth, options, server} = issuer;
  withNonce(request, 'server');
  const parsed = oauth.parseAccessTokenRequest({request, accessTokenRequest: request.form});
  const common = {
    request, authorizationServerMetadata: server, accessTokenRequest: parsed.accessTokenRequest, grant: parsed.grant,
    dpop: {required: options.dpop === true, jwt: parsed.dpop?.jwt, allowedSigningAlgs: ['ES256']},
    clientAttestation: {required: options.attestClient === true, ...parsed.clientAttestation}
  };
  const verified = parsed.grant.grantType === PRE_AUTHORIZED ?
    await oauth.verifyPreAuthorizedCodeAccessTokenRequest({
      ...common, expectedPreAuthorizedCode: issuer.code, expectedTxCode: options.txCode}) :
    parsed.grant.grantType === 'refresh_token' ?
      await oauth.verifyRefreshTokenAccessTokenRequest({...common, expectedRefreshToken: issuer.refreshToken}) :
      await oauth.verifyAuthorizationCodeAccessTokenRequest({
        ...common, expectedCode: issuer.code,
        pkce: {codeVerifier: parsed.pkceCodeVerifier, codeChallenge: issuer.pushed.code_challenge,
          codeChallengeMethod: issuer.pushed.code_challenge_method}});
  if(parsed.grant.grantType === 'authorization_code' && request.form.redirect_uri !== issuer.pushed.redirect_uri) {
    throw refuse('invalid_grant');
  }
  issuer.log.push({step: 'token', grant: parsed.grant.grantType, dpop: Boolean(verified.dpop),
    clientId: verified.clientAttestation?.clientAttestation.payload.sub ?? request.form.client_id});
  issuer.code = keys.random(16);  // used up
  issuer.refreshToken = keys.random(16);
  const json = await oauth.createAccessTokenResponse({
    audience: issuer.url, authorizationServer: issuer.url, expiresInSeconds: 600, subject: 'somebody', scope: 'person',
    signer: {method: 'jwk', alg: 'ES256', publicJwk: issuer.tokenKey}, dpop: verified.dpop,
    refreshToken: verified.dpop ? issuer.refreshToken : undefined});
  return {json};
}

async function access(request) {
  withNonce(request, 'resource');
  return new Oauth2ResourceServer({callbacks: keys.callbacks()}).verifyResourceRequest({
    request, resourceServer: issuer.url, authorizationServers: [issuer.server],
    allowedAuthenticationSchemes: [issuer.options.dpop ? 'DPoP' : 'Bearer']});
}

async function holders(proofs) {
  const found = [];
  const common = {issuerMetadata: issuer.metadata, expectedNonce: issuer.nonce};
  for(const keyAttestationJwt of proofs.attestation ?? []) {
    const read = await issuer.vci.verifyCredentialRequestAttestationProof({...common, keyAttestationJwt});
    found.push(...read.payload.attested_keys);
  }
  for(const jwt of proofs.jwt ?? []) {
    const read = await issuer.vci.verifyCredentialRequestJwtProof({...common, jwt});
    if(issuer.options.attested && !read.keyAttestation) {
      throw refuse('invalid_proof');
    }
    found.push(read.signer.publicJwk);
  }
  if(found.length === 0 || found.length > issuer.metadata.credentialIssuer.batch_credential_issuance.batch_size) {
    throw refuse('invalid_proof');
  }
  issuer.nonce = undefined;  // once
  return found;
}

const made = async holder => {
  const now = Math.floor(Date.now() / 1000);
  const claims = {iss: issuer.url, vct: issuer.options.vct, iat: now, exp: now + 86_400, ...issuer.options.claims};
  return {credential: await selective.issue({claims, frame: issuer.options.frame, holder, issuer: issuer.signing})};
};

/** What was asked, decrypted where it has to be: the libraries leave that to their caller. */
async function opened(request) {
  if(!issuer.options.secret) {
    return JSON.parse(request.body);
  }
  if(request.headers.get('content-type') !== 'application/jwt') {
    throw refuse('invalid_encryption_parameters');
  }
  const {payload, header} = await keys.callbacks().decryptJwe(request.body, {jwk: issuer.sealKey});
  if(header.kid !== 'seal') {
    throw refuse('invalid_encryption_parameters');
  }
  const asked = JSON.parse(payload);
  const wanted = asked.credential_response_encryption;
  if(wanted) {
    wanted.alg ??= wanted.jwk.alg;  // 0.4.6 wants the member that OpenID4VCI 1.0 §8.2 has moved into the key
  }
  return asked;
}

async function sealed(json, wanted, status) {
  if(!issuer.options.secret) {
    return {json, status};
  }
  const {jwk, enc} = wanted ?? {};
  if(!jwk) {
    throw refuse('invalid_encryption_parameters');
  }
  const {jwe} = await keys.callbacks().encryptJwe({publicJwk: jwk, alg: jwk.alg ?? 'ECDH-ES', enc}, JSON.stringify(json));
  return {text: jwe, type: 'application/jwt', status};
}

async function credential(request) {
  const {scheme} = await access(request);
  const asked = issuer.vci.parseCredentialRequest({issuerMetadata: issuer.metadata, credentialRequest: await opened(request)});
  if(asked.credentialConfigurationId !== CONFIGURATION || !asked.proofs || !issuer.nonce) {
    throw refuse('invalid_credential_request');
  }
  const owners = await holders(asked.proofs);
  issuer.log.push({step: 'credential', scheme, proofs: Object.keys(asked.proofs), count: owners.length,
    encryption: asked.credentialRequest.credential_response_encryption?.enc});
  issuer.credentials = await Promise.all(owners.map(made));
  const wanted = asked.credentialRequest.credential_response_encryption;
  if(issuer.waits > 0) {
    issuer.transaction = keys.random(8);
    const json = issuer.vci.createCredentialResponse({
      credentialRequest: asked, transactionId: issuer.transaction, interval: 1});
    return sealed(json, wanted, 202);
  }
  const json = issuer.vci.createCredentialResponse({
    credentialRequest: asked, credentials: issuer.credentials, notificationId: issuer.notification});
  return sealed(json, wanted);
}

async function deferred(request) {
  await access(request);
  const {deferredCredentialRequest: asked} = issuer.vci.parseDeferredCredentialRequest({
    deferredCredentialRequest: await opened(request)});
  if(asked.transaction_id !== issuer.transaction) {
    throw refuse('invalid_transaction_id');
  }
  issuer.log.push({step: 'deferred', waits: issuer.waits});
  const wanted = asked.credential_response_encryption;  // a new one each time (§9.1)
  const waiting = issuer.waits-- > 0;
  const json = issuer.vci.createDeferredCredentialResponse(waiting ?
    {transactionId: issuer.transaction, interval: 1} : {credentials: issuer.credentials});
  return sealed(json, wanted, waiting ? 202 : 200);
}

async function pushed(request) {
  const {oauth, options, server} = issuer;
  withNonce(request, 'server');
  const parsed = await oauth.parsePushedAuthorizationRequest({request, authorizationRequest: request.form});
  const verified = await oauth.verifyPushedAuthorizationRequest({
    request, authorizationServerMetadata: server, authorizationRequest: parsed.authorizationRequest,
    dpop: {required: options.dpop === true, ...parsed.dpop, allowedSigningAlgs: ['ES256']},
    clientAttestation: {required: options.attestClient === true, ...parsed.clientAttestation}});
  issuer.pushed = parsed.authorizationRequest;
  issuer.requestUri = `urn:ietf:params:oauth:request_uri:${keys.random(12)}`;
  issuer.log.push({step: 'par', clientId: issuer.pushed.client_id, scope: issuer.pushed.scope,
    details: issuer.pushed.authorization_details, state: Boolean(issuer.pushed.state), issuerState: issuer.pushed.issuer_state,
    attested: Boolean(verified.clientAttestation), method: issuer.pushed.code_challenge_method});
  const {pushedAuthorizationResponse: json} = oauth.createPushedAuthorizationResponse({expiresInSeconds: 60, requestUri: issuer.requestUri});
  return {json, status: 201};
}

/** Nobody has to sign in here: whoever asks is let through, as a person who has pressed every button. */
function authorize({query}) {
  if(query.request_uri !== issuer.requestUri || query.client_id !== issuer.pushed.client_id) {
    throw refuse('invalid_request_uri');
  }
  const back = new URL(issuer.pushed.redirect_uri);
  const told = {code: issuer.code, state: issuer.pushed.state, iss: issuer.options.wrongIss ?? issuer.url};
  Object.entries(told).forEach(([name, value]) => value && back.searchParams.set(name, value));
  return {status: 302, headers: {Location: back.href}};
}

const ISSUER = {
  '/.well-known/openid-credential-issuer': async ({headers}) => headers.get('accept')?.includes('application/jwt') && issuer.options.signed ?
    {type: 'application/jwt', text: await issuer.vci.createSignedCredentialIssuerMetadataJwt({
      credentialIssuerMetadata: issuer.metadata.credentialIssuer, issuedAt: new Date(), expiresAt: later(600), signer: issuer.signing.signer})} :
    {json: issuer.metadata.credentialIssuer},
  '/.well-known/oauth-authorization-server': () => ({json: issuer.server}),
  '/jwks': () => ({json: {keys: [{...issuer.tokenKey, use: 'sig'}]}}),
  '/offer': () => ({json: issuer.offered}),
  '/nonce': () => {
    issuer.nonce = keys.random(16);
    return {json: issuer.vci.createNonceResponse({cNonce: issuer.nonce})};
  },
  '/token': token, '/par': pushed, '/authorize': authorize, '/credential': credential, '/deferred': deferred,
  '/notification': async request => {
    await access(request);
    const told = JSON.parse(request.body);
    issuer.log.push({step: 'notification', ...told, known: told.notification_id === issuer.notification});
    return {status: 204};
  }
};

// --- the verifier ----------------------------------------

const verifier = {asked: new Map()};

async function request(id, walletNonce) {
  const {payload, signed} = verifier.asked.get(id);
  return new Openid4vpVerifier({callbacks: keys.callbacks()}).createOpenId4vpAuthorizationRequest({
    authorizationRequestPayload: {...payload, ...(walletNonce && {wallet_nonce: walletNonce})},
    wallet: {expectedNonce: walletNonce},
    jar: signed && {requestUri: payload.response_uri && `${verifier.url}/request/${id}`, jwtSigner: signed, expiresInSeconds: 300,
      additionalJwtPayload: {aud: 'https://self-issued.me/v2'}}});
}

async function answered(id, form) {
  const one = verifier.asked.get(id);
  one.answers += 1;
  const vp = new Openid4vpVerifier({callbacks: keys.callbacks()});
  const given = typeof form.vp_token === 'string' ? {...form, vp_token: JSON.parse(form.vp_token)} : form;
  if(form.error) {
    one.result = {error: form.error, state: form.state === one.payload.state};
    return {json: {}};
  }
  const read = await vp.parseOpenid4vpAuthorizationResponse({
    callbacks: keys.callbacks(), authorizationResponse: given, authorizationRequestPayload: one.payload, origin: one.origin});
  const audience = one.origin ? `origin:${one.origin}` : one.payload.client_id;
  const shown = {};
  for(const [query, presentations] of Object.entries(read.dcql.presentations)) {
    shown[query] = await Promise.all(presentations.map(token => selective.verify(token, {nonce: one.payload.nonce, audience})));
  }
  const dcqlQuery = DcqlQuery.parse(read.dcql.query);
  const judged = DcqlPresentationResult.fromDcqlPresentation(Object.fromEntries(Object.entries(shown).map(([query, all]) =>
    [query, all.map(({claims}) => ({credential_format: 'dc+sd-jwt', vct: claims.vct, claims, cryptographic_holder_binding: true}))])), {dcqlQuery});
  const transactions = one.payload.transaction_data && await vp.verifyTransactionData({
    transactionData: one.payload.transaction_data,
    credentials: Object.fromEntries(Object.entries(shown).map(([query, all]) => [query, all.map(({bound}) => ({
      transaction_data_hashes: bound.transaction_data_hashes, transaction_data_hashes_alg: bound.transaction_data_hashes_alg}))]))});
  one.result = {satisfied: judged.can_be_satisfied, transactions: transactions?.length,
    encrypted: read.jarm && {type: read.jarm.type, kid: read.jarm.jarmHeader.kid, enc: read.jarm.jarmHeader.enc, fits: read.jarm.jarmHeader.kid === one.kid},
    claims: Object.fromEntries(Object.entries(shown).map(([query, all]) => [query, all.map(({claims}) => claims)]))};
  return {json: one.redirect ? {redirect_uri: one.redirect} : {}};
}

async function named(prefix, id) {
  const {signer, x5c, jwk} = verifier.access;
  switch(prefix) {
    case 'x509_hash': {
      const value = await calculateX509HashClientIdPrefixValue({x509Certificate: x5c[0], hash: keys.hash});
      return {clientId: `x509_hash:${value}`, signed: signer};
    }
    case 'x509_san_dns': return {clientId: 'x509_san_dns:localhost', signed: signer};
    case 'decentralized_identifier': {
      const did = `did:jwk:${keys.encode(JSON.stringify(jwk))}`;
      return {clientId: `decentralized_identifier:${did}`, signed: {method: 'did', alg: 'ES256', didUrl: `${did}#0`}};
    }
    default: return {clientId: `redirect_uri:${verifier.url}/answer/${id}`};
  }
}

export const OPS = {
  async issuer({port, tls, signing, ...options}) {
    const started = issuer.url !== undefined;
    Object.assign(issuer, {url: `https://localhost:${port}`, options, log: [], credentials: [], transaction: undefined,
      waits: options.waits ?? 0, code: keys.random(16), notification: keys.random(8), nonce: undefined,
      dpopNonces: {server: keys.random(8), resource: keys.random(8)}});
    issuer.signing = await keys.load(signing);
    issuer.tokenKey ??= await keys.make();
    issuer.sealKey ??= await keys.make('ECDH-ES');
    issuer.vci = new Openid4vciIssuer({callbacks: keys.callbacks()});
    issuer.oauth = new Oauth2AuthorizationServer({callbacks: keys.callbacks()});
    issuer.server = serverDescribed(options);
    const credentialIssuer = described(options);
    issuer.metadata = {credentialIssuer, authorizationServers: [issuer.server], originalDraftVersion: 'V1',
      knownCredentialConfigurations: issuer.vci.getKnownCredentialConfigurationsSupported(credentialIssuer)};
    const code = {'pre-authorized_code': issuer.code, ...(options.txCode && {tx_code: {input_mode: 'numeric', length: options.txCode.length}})};
    const grants = options.grant === 'authorization_code' ? {authorization_code: {issuer_state: 'for-you'}} : {[PRE_AUTHORIZED]: code};
    const {credentialOffer: link, credentialOfferObject} = await issuer.vci.createCredentialOffer({
      issuerMetadata: issuer.metadata, credentialConfigurationIds: [CONFIGURATION], grants,
      credentialOfferUri: options.byReference ? `${issuer.url}/offer` : undefined});
    issuer.offered = credentialOfferObject;
    if(!started) {
      await listen({port, tls}, request => ISSUER[request.path]?.(request) ?? {status: 404, json: {}});
    }
    return {link, url: issuer.url};
  },
  log: () => ({log: issuer.log}),
  async verifier({port, tls, access}) {
    verifier.url = `https://localhost:${port}`;
    verifier.access = await keys.load(access);
    await listen({port, tls}, async ({path, form, method}) => {
      const [, what, id] = path.split('/');
      if(what === 'request') {
        verifier.asked.get(id).fetched.push({method, form});
        const {jar} = await request(id, form.wallet_nonce);
        return {text: jar.authorizationRequestJwt, type: 'application/oauth-authz-req+jwt'};
      }
      return what === 'answer' ? answered(id, form) : {status: 404, json: {}};
    });
    return {url: verifier.url};
  },
  /** A request as a link, or, for a page of this `origin`, as data for the browser. A member that is bent to null is left out. */
  async ask({prefix, mode, query, method, transactionData, redirect, origin, bent = {}}) {
    const id = keys.random(9);
    const {clientId, signed} = await named(prefix, id);
    const jwk = await keys.make('ECDH-ES');
    const kid = keys.random(4);
    const place = origin ? {expected_origins: signed && [origin], client_id: signed && clientId} :
      {client_id: clientId, response_uri: `${verifier.url}/answer/${id}`, state: keys.random(8)};
    const payload = {
      response_type: 'vp_token', response_mode: mode, ...place, nonce: keys.random(16), dcql_query: query,
      transaction_data: transactionData?.map(one => keys.encode(JSON.stringify(one))),
      client_metadata: {
        vp_formats_supported: {'dc+sd-jwt': {'sd-jwt_alg_values': ['ES256'], 'kb-jwt_alg_values': ['ES256', 'EdDSA']}},
        ...(mode.endsWith('.jwt') && {jwks: {keys: [{...jwk, kid, use: 'enc', alg: 'ECDH-ES'}]},
          encrypted_response_enc_values_supported: ['A128GCM', 'A256GCM']})
      }, ...bent
    };
    Object.entries(payload).filter(([, value]) => value === null).forEach(([name]) => delete payload[name]);
    verifier.asked.set(id, {payload, signed, redirect, origin, kid, answers: 0, fetched: []});
    const {authorizationRequest: uri, authorizationRequestObject: data} = await request(id);
    if(origin) {
      return {id, data, protocol: `openid4vp-v1-${signed ? 'signed' : 'unsigned'}`};
    }
    return {id, uri: method && signed ? `${uri}&request_uri_method=${method}` : uri};
  },
  async answer({id, data}) {
    await answered(id, data);
    return verifier.asked.get(id).result;
  },
  result({id}) {
    const {result, answers, fetched} = verifier.asked.get(id);
    return {result, answers, fetched};
  }
};
