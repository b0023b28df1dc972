// A wallet made of other people's protocol libraries: it receives by OpenID4VCI and answers by OpenID4VP.
import {Oauth2Client, clientAuthenticationClientAttestationJwt, clientAuthenticationNone} from '@openid4vc/oauth2';
import {Openid4vciClient, Openid4vciWalletProvider} from '@openid4vc/openid4vci';
import {Openid4vpClient} from '@openid4vc/openid4vp';
import {DcqlQuery} from 'dcql';
import * as keys from './keys.mjs';
import * as selective from './selective.mjs';

const flows = new Map();
const requests = new Map();
const seconds = from => new Date(Date.now() + from * 1000);
const kept = (map, value) => {
  const id = keys.random(6);
  map.set(id, value);
  return id;
};

/** The libraries read neither signed metadata unless they are given it, nor encrypted credentials: this reads both. */
function fetcher(flow) {
  return async (url, init = {}) => {
    const headers = new Headers(init.headers);
    if(flow.signed && String(url).includes('/.well-known/openid-credential-issuer')) {
      headers.set('Accept', 'application/jwt');
    }
    let {body} = init;
    const asked = flow.metadata?.credentialIssuer.credential_request_encryption;
    const {credential_endpoint, deferred_credential_endpoint} = flow.metadata?.credentialIssuer ?? {};
    if(flow.answerKey && asked && [credential_endpoint, deferred_credential_endpoint].includes(String(url))) {
      const [publicJwk] = asked.jwks.keys;
      const enc = asked.enc_values_supported[0];
      body = (await keys.callbacks().encryptJwe({publicJwk, alg: publicJwk.alg, enc}, body)).jwe;
      headers.set('Content-Type', 'application/jwt');
    }
    const answer = await fetch(url, {...init, body, headers});
    flow.seen.push({url: String(url), status: answer.status, type: answer.headers.get('content-type'),
      cache: answer.headers.get('cache-control')});
    if(!flow.answerKey || answer.headers.get('content-type') !== 'application/jwt') {
      return answer;
    }
    const {payload} = await keys.callbacks().decryptJwe(await answer.text(), {jwk: flow.answerKey});
    flow.opened = true;
    return new Response(payload, {status: answer.status, headers: {'Content-Type': 'application/json'}});
  };
}

async function attested(flow, {provider, clientId}) {
  const {signer} = await keys.load(provider);
  const jwk = await keys.make();
  const made = new Openid4vciWalletProvider({callbacks: keys.callbacks()});
  flow.provider = signer;
  const clientAttestationJwt = await made.createWalletAttestationJwt({
    clientId, issuer: 'https://wallet-provider.example', confirmation: {jwk}, issuedAt: new Date(),
    expiresAt: seconds(600), signer, walletName: 'Peer wallet'
  });
  const authenticate = clientAuthenticationClientAttestationJwt({clientAttestationJwt, callbacks: keys.callbacks()});
  return async call => {
    await authenticate(call);
    await challenged(call, jwk);
  };
}

/** 0.4.6 knows no challenges (0.5.3 does): what it made is signed once more with the one that the server gives. */
async function challenged({headers, authorizationServerMetadata: {challenge_endpoint: endpoint}}, publicJwk) {
  if(!endpoint) {
    return;
  }
  const {attestation_challenge: challenge} = await (await fetch(endpoint, {method: 'POST'})).json();
  const [header, payload] = headers.get('OAuth-Client-Attestation-PoP').split('.', 2)
    .map(part => JSON.parse(Buffer.from(part, 'base64url')));
  const signer = {method: 'jwk', alg: header.alg, publicJwk};
  const {jwt} = await keys.callbacks().signJwt(signer, {header, payload: {...payload, challenge}});
  headers.set('OAuth-Client-Attestation-PoP', jwt);
}

const client = flow => new Openid4vciClient({callbacks: flow.callbacks});
const server = flow => flow.metadata.authorizationServers[0];

function told(flow, token, dpop) {
  flow.token = token;
  if(flow.dpop && dpop) {
    flow.dpop = {...flow.dpop, nonce: dpop.nonce};
  }
  return {token: {...token, access_token: undefined, refresh_token: undefined}, refreshable: Boolean(token.refresh_token)};
}

const bound = flow => flow.dpop && {...flow.dpop, nonce: flow.resourceNonce};

/** A key attestation. 0.4.6 still writes the type of the drafts, where OpenID4VCI 1.0 §D.1 demands `key-attestation+jwt`. */
export async function attestation(terms, typ = 'key-attestation+jwt') {
  const made = await new Openid4vciWalletProvider({callbacks: keys.callbacks()}).createKeyAttestationJwt(terms);
  const [header, payload] = made.split('.', 2).map(part => JSON.parse(Buffer.from(part, 'base64url')));
  return (await keys.callbacks().signJwt(terms.signer, {header: {...header, typ: typ ?? header.typ}, payload})).jwt;
}

async function proofs(flow, {configuration, count, alg, attest, nonce}) {
  const made = await Promise.all(Array.from({length: count}, () => keys.make(alg)));
  const certified = attest && await attestation({
    attestedKeys: made, issuedAt: new Date(), expiresAt: seconds(600), nonce, signer: flow.provider,
    use: attest === 'attestation' ? 'proof_type.attestation' : 'proof_type.jwt'
  });
  if(attest === 'attestation') {
    return {attestation: [certified]};
  }
  const signed = made.map(jwk => client(flow).createCredentialRequestJwtProof({
    issuerMetadata: flow.metadata, credentialConfigurationId: configuration, nonce, issuedAt: new Date(),
    keyAttestationJwt: certified, signer: {method: 'jwk', alg, publicJwk: jwk}
  }));
  return {jwt: (await Promise.all(signed)).map(one => one.jwt)};
}

async function encrypted(flow) {
  const {alg_values_supported: [alg], enc_values_supported: [enc]} = flow.metadata.credentialIssuer.credential_response_encryption;
  const jwk = await keys.make('ECDH-ES');
  flow.answerKey = jwk;
  // 0.4.6 sends no request without `alg` beside the key, which OpenID4VCI 1.0 §8.2 knows in the key only
  return {credential_response_encryption: {jwk: {...jwk, alg, use: 'enc', kid: 'answer'}, alg, enc}};
}

function received(flow, answer) {
  flow.resourceNonce = answer.dpop?.nonce ?? flow.resourceNonce;
  const body = answer.credentialResponse ?? answer.deferredCredentialResponse;
  flow.notification = body.notification_id ?? flow.notification;
  flow.transaction = body.transaction_id ?? flow.transaction;
  const credentials = body.credentials?.map(one => one.credential) ?? [];
  return {credentials, status: answer.response.status, interval: body.interval, opened: flow.opened === true};
}

/** OpenID4VP's answer to one query by dcql-ts: which of the cards, and which of its claims. */
async function chosen(query, cards) {
  const parsed = DcqlQuery.parse(query);
  DcqlQuery.validate(parsed);
  const known = await Promise.all(cards.map(async card => {
    const claims = await selective.claims(card);
    return {credential_format: 'dc+sd-jwt', vct: claims.vct, claims, cryptographic_holder_binding: true};
  }));
  const {can_be_satisfied: can, credential_matches: matches} = DcqlQuery.query(parsed, known);
  if(!can) {
    throw new Error('the query cannot be answered with these cards');
  }
  return Object.entries(matches).filter(([, match]) => match.success).map(([id, match]) => {
    const [found] = match.valid_credentials;
    const asked = parsed.credentials.find(one => one.id === id).claims ?? [];
    const wanted = new Set(found.claims.valid_claim_sets?.[0].valid_claim_indexes ?? []);
    const paths = asked.filter((_, place) => wanted.has(place)).map(claim => claim.path);
    return {id, card: cards[found.input_credential_index], paths};
  });
}

const hashes = data => data && {
  transaction_data_hashes: data.map(one => keys.encode(keys.hash(one.encoded, 'sha-256'))),
  transaction_data_hashes_alg: 'sha-256'
};

/** The claims that a path leads to, spelt out: @sd-jwt/core knows names and numbers, and no null. */
function spelt(claims, path) {
  const [step, ...rest] = path;
  if(step === undefined) {
    return [[]];
  }
  const steps = step === null ? claims.map((_, place) => place) : [step];
  return steps.flatMap(one => spelt(claims[one], rest).map(tail => [one, ...tail]));
}

export const OPS = {
  async offer({uri, signed = false, clientId, dpop = false, provider}) {
    const flow = {signed, seen: []};
    const clientAuthentication = provider ? await attested(flow, {provider, clientId}) :
      clientId ? clientAuthenticationNone({clientId}) : () => {};
    flow.callbacks = keys.callbacks({fetch: fetcher(flow), clientAuthentication});
    flow.offer = await client(flow).resolveCredentialOffer(uri);
    flow.metadata = await client(flow).resolveIssuerMetadata(flow.offer.credential_issuer);
    const supported = new Oauth2Client({callbacks: flow.callbacks}).isDpopSupported({authorizationServerMetadata: server(flow)});
    if(dpop) {
      flow.dpop = {signer: {method: 'jwk', alg: supported.dpopSigningAlgValuesSupported[0], publicJwk: await keys.make()}};
    }
    const {originalDraftVersion: version, credentialIssuer: issuer, signedCredentialIssuer, knownCredentialConfigurations} = flow.metadata;
    return {flow: kept(flows, flow), offer: flow.offer, version, issuer, server: server(flow), dpop: supported.supported,
      signed: signedCredentialIssuer?.signer.method, known: Object.keys(knownCredentialConfigurations)};
  },
  async preAuthorized({flow: id, txCode}) {
    const flow = flows.get(id);
    const {accessTokenResponse, dpop} = await client(flow).retrievePreAuthorizedCodeAccessTokenFromOffer({
      credentialOffer: flow.offer, issuerMetadata: flow.metadata, txCode, dpop: flow.dpop});
    return told(flow, accessTokenResponse, dpop);
  },
  async authorize({flow: id, clientId, redirectUri, scope, more}) {
    const flow = flows.get(id);
    flow.redirectUri = redirectUri;
    const made = await client(flow).initiateAuthorization({
      credentialOffer: flow.offer, issuerMetadata: flow.metadata, clientId, redirectUri, scope, dpop: flow.dpop,
      additionalRequestPayload: {state: keys.random(12), ...more}});
    flow.pkce = made.pkce;
    flow.dpop = made.dpop ?? flow.dpop;
    return {url: made.authorizationRequestUrl, method: made.pkce?.codeChallengeMethod};
  },
  async authorized({flow: id, url}) {
    const flow = flows.get(id);
    const answer = client(flow).parseAndVerifyAuthorizationResponseRedirectUrl({url, authorizationServerMetadata: server(flow)});
    if(answer.error) {
      return {error: answer.error};
    }
    const {accessTokenResponse, dpop} = await client(flow).retrieveAuthorizationCodeAccessTokenFromOffer({
      credentialOffer: flow.offer, issuerMetadata: flow.metadata, authorizationCode: answer.code,
      pkceCodeVerifier: flow.pkce.codeVerifier, redirectUri: flow.redirectUri, dpop: flow.dpop});
    return told(flow, accessTokenResponse, dpop);
  },
  async refresh({flow: id}) {
    const flow = flows.get(id);
    const {accessTokenResponse, dpop} = await new Oauth2Client({callbacks: flow.callbacks}).retrieveRefreshTokenAccessToken({
      authorizationServerMetadata: server(flow), refreshToken: flow.token.refresh_token, dpop: flow.dpop});
    return told(flow, accessTokenResponse, dpop);
  },
  async credentials({flow: id, configuration, count = 1, alg = 'ES256', attest, secret = false, nonce}) {
    const flow = flows.get(id);
    const fresh = nonce ?? (await client(flow).requestNonce({issuerMetadata: flow.metadata})).c_nonce;
    const answer = await client(flow).retrieveCredentials({
      issuerMetadata: flow.metadata, accessToken: flow.token.access_token, credentialConfigurationId: configuration,
      proofs: await proofs(flow, {configuration, count, alg, attest, nonce: fresh}), dpop: bound(flow),
      additionalRequestPayload: secret ? await encrypted(flow) : {}});
    return received(flow, answer);
  },
  async deferred({flow: id, secret = false}) {
    const flow = flows.get(id);
    try {
      return received(flow, await client(flow).retrieveDeferredCredentials({
        additionalRequestPayload: secret ? await encrypted(flow) : {}, issuerMetadata: flow.metadata, accessToken: flow.token.access_token, transactionId: flow.transaction, dpop: bound(flow)}));
    } catch(error) {
      // 0.4.6 refuses a notification_id beside credentials here, which OpenID4VCI 1.0 §9.2 allows; what came is in the error.
      const {response, deferredCredentialResponseResult: read} = error.response ?? {};
      if(!response?.ok || read?.success !== false) {
        throw error;
      }
      return {...received(flow, {response, deferredCredentialResponse: await response.clone().json()}), objected: String(read.error)};
    }
  },
  async notify({flow: id, event}) {
    const flow = flows.get(id);
    const {response} = await client(flow).sendNotification({
      issuerMetadata: flow.metadata, accessToken: flow.token.access_token, dpop: bound(flow),
      notification: {event, notificationId: flow.notification}});
    return {status: response.status};
  },
  seen: ({flow: id}) => ({seen: flows.get(id).seen}),
  async check({token}) {
    return {claims: await selective.check(token)};
  },
  async request({uri, payload, origin, wallet}) {
    const vp = new Openid4vpClient({callbacks: keys.callbacks()});
    const {params} = vp.parseOpenid4vpAuthorizationRequest({authorizationRequest: payload ?? uri});
    const found = await vp.resolveOpenId4vpAuthorizationRequest({authorizationRequestPayload: params, wallet, origin});
    return {request: kept(requests, {...found, origin}), prefix: found.client.prefix, clientId: found.client.effective,
      version: found.version, parameters: found.authorizationRequestPayload, transactionData: found.transactionData,
      audience: found.jar?.jwt.payload.aud, header: found.jar?.jwt.header};
  },
  async present({request: id, cards, bent = {}, state, stranger = false, torn = false, enc = ['A128GCM', 'A256GCM'], send = true}) {
    const {authorizationRequestPayload: asked, client: {effective}, dcql, transactionData, origin} = requests.get(id);
    const vpToken = {};
    for(const {id: query, card, paths} of await chosen(dcql.query, cards)) {
      const all = await selective.claims(card);
      const exact = paths.flatMap(path => spelt(all, path));
      const by = stranger ? await keys.make() : undefined;
      const audience = asked.response_mode.startsWith('dc_api') ? `origin:${origin}` : effective;  // OpenID4VP 1.0 Appendix A.4
      const terms = {paths: exact, nonce: asked.nonce, audience, more: hashes(transactionData), bent, by};
      const shown = await selective.show(card, terms);
      vpToken[query] = [torn ? shown.split('~').toSpliced(1, 1).join('~') : shown];
    }
    const vp = new Openid4vpClient({callbacks: keys.callbacks()});
    const sealed = asked.response_mode.endsWith('.jwt') ? {
      encryption: {nonce: keys.random(8)},
      serverMetadata: {authorization_encryption_alg_values_supported: ['ECDH-ES'], authorization_encryption_enc_values_supported: enc}
    } : undefined;
    const made = await vp.createOpenid4vpAuthorizationResponse({
      authorizationRequestPayload: {...asked, ...(state && {state})}, origin, jarm: sealed,
      authorizationResponsePayload: {vp_token: vpToken}});
    if(!send) {
      return {answer: made.jarm ? {response: made.jarm.responseJwt} : made.authorizationResponsePayload};
    }
    const {response, responseMode} = await vp.submitOpenid4vpAuthorizationResponse({
      authorizationRequestPayload: asked, authorizationResponsePayload: made.authorizationResponsePayload, jarm: made.jarm});
    return {status: response.status, mode: responseMode, body: await response.json().catch(() => null)};
  }
};
