/**
 * The proxies that are tried: how each is started with a configuration of the documentation, on other ports and with
 * shorter times.
 */

/** One proxy. */
export interface ProxyServer {
  readonly title: string
  readonly command: string
  readonly versionArgument: string
  /** The language that its configuration has in the documentation. */
  readonly language: string
  /** The name of its configuration's file. */
  readonly file: string
  /** How it is started in the foreground, in a folder that holds the file. */
  readonly args: (folder: string) => readonly string[]
  /** The whole file: what the documentation shows, made fit to be tried. */
  readonly configuration: (shown: string, setting: Setting) => string
}

/** Where a proxy is tried. */
export interface Setting {
  readonly folder: string
  /** Where it listens, on the loopback interface. */
  readonly port: number
  /** The servers, which the documentation has on 8081 and 8082. */
  readonly servers: readonly [number, number]
}

/** What the documentation gives a silent connection, and what a trial does. */
const IDLE = { shown: "60s", tried: "3s" }

/** Replaces what has to be there. */
function put(text: string, replacements: readonly (readonly [string, string])[]): string {
  return replacements.reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`the configuration has no "${from}"`)
    return result.replaceAll(from, to)
  }, text)
}

function upstreams({ servers }: Setting): [string, string][] {
  return [
    ["127.0.0.1:8081", `127.0.0.1:${servers[0]}`],
    ["127.0.0.1:8082", `127.0.0.1:${servers[1]}`],
  ]
}

/** All of them. */
export const PROXIES: readonly ProxyServer[] = [
  {
    title: "nginx",
    command: "nginx",
    versionArgument: "-v",
    language: "nginx",
    file: "nginx.conf",
    args: (folder) => ["-p", folder, "-c", `${folder}/nginx.conf`, "-e", "stderr"],
    configuration(shown, setting) {
      const { folder, port } = setting
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      return [
        "daemon off;",
        "master_process off;",
        `pid ${folder}/nginx.pid;`,
        "error_log stderr crit;",
        "events { worker_connections 4096; }",
        "http {",
        "access_log off;",
        ...temporary.map((it) => `${it}_temp_path ${folder}/${it};`),
        put(shown, [
          ...upstreams(setting),
          ["listen 80;", `listen 127.0.0.1:${port};`],
          [IDLE.shown, IDLE.tried],
        ]),
        "}",
      ].join("\n")
    },
  },
  {
    title: "HAProxy",
    command: "haproxy",
    versionArgument: "-v",
    language: "haproxy",
    file: "haproxy.cfg",
    args: (folder) => ["-db", "-q", "-f", `${folder}/haproxy.cfg`],
    configuration: (shown, setting) =>
      put(shown, [
        ...upstreams(setting),
        ["bind :80", `bind 127.0.0.1:${setting.port}`],
        [IDLE.shown, IDLE.tried],
      ]),
  },
  {
    title: "Caddy",
    command: "caddy",
    versionArgument: "version",
    language: "caddyfile",
    file: "Caddyfile",
    args: (folder) => ["run", "--config", `${folder}/Caddyfile`, "--adapter", "caddyfile"],
    configuration: (shown, setting) =>
      [
        "{\n  admin off\n  auto_https off\n  log {\n    level ERROR\n  }\n}",
        put(shown, [...upstreams(setting), ["app.example", `http://127.0.0.1:${setting.port}`]]),
      ].join("\n"),
  },
]
