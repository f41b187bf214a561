// An OpenID provider (panva's oidc-provider) with tenants under paths of their own, as Microsoft Entra ID has them.
// One argument, JSON: {port, tenants: {PATH: {jwks, claims?, groups?: {NAME: [...]}}}}. Who signs in is the `login_hint`, and
// nobody types a password. Equal names have equal subjects, whatever the tenant.
import http from 'node:http'
import Provider from 'oidc-provider'

const { port, tenants } = JSON.parse(process.argv[2])
console.warn = console.info = () => {}

const redirect_uris = ['http://127.0.0.1/callback'] // a native client's port is its own (RFC 8252 section 7.3)
const native = {
  application_type: 'native', token_endpoint_auth_method: 'none', redirect_uris,
  grant_types: ['authorization_code'], response_types: ['code'],
}
const clients = [
  { client_id: 'hansa', ...native },
  { client_id: 'hansa-es', ...native, id_token_signed_response_alg: 'ES256' },
  { client_id: 'another', ...native },
  { client_id: 'shared-secret', ...native, client_secret: 'a secret that both sides know, and so both can sign with it',
    token_endpoint_auth_method: 'client_secret_post', id_token_signed_response_alg: 'HS256' },
]

function provider (path, { jwks, claims = {}, groups = {} }) {
  const made = new Provider(`http://127.0.0.1:${port}${path}`, {
    clients, jwks,
    cookies: { keys: ['of this test alone'] },
    features: { devInteractions: { enabled: false } },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'HS256'] },
    conformIdTokenClaims: false,
    claims: { openid: ['sub', 'tid', 'groups', 'name', 'email'] },
    ttl: { IdToken: 3600, Session: 600, Grant: 600, Interaction: 600, AccessToken: 600 },
    pkce: { required: () => true },
    interactions: { url: (ctx, interaction) => `${path}/interaction/${interaction.uid}` },
    async findAccount (ctx, id) {
      const told = { sub: id, ...claims, groups: groups[id] ?? [], name: `Name of ${id}`, email: `${id}@mail.example` }
      return { accountId: id, claims: async () => told }
    },
    async loadExistingGrant (ctx) {
      const { client, session } = ctx.oidc
      const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId })
      grant.addOIDCScope('openid')
      await grant.save()
      return grant
    },
  })
  return made
}

const providers = Object.entries(tenants).map(([path, tenant]) => [path, provider(path, tenant)])

http.createServer(async (request, response) => {
  const found = providers.find(([path]) => request.url.startsWith(`${path}/`))
  if (!found) { response.writeHead(404).end(); return }
  const [path, made] = found
  if (request.url.startsWith(`${path}/interaction/`)) {
    const { params } = await made.interactionDetails(request, response)
    // Native clients are asked for consent each time (RFC 8252 section 8.6); here everybody consents.
    await made.interactionFinished(request, response, { login: { accountId: params.login_hint }, consent: {} })
    return
  }
  request.originalUrl = request.url
  request.url = request.url.slice(path.length)
  made.callback()(request, response)
}).listen(port, '127.0.0.1', () => console.log('up'))
