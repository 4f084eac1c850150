import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'

export type Framework = 'next' | 'nest' | 'fastify' | 'express' | 'hono' | 'plain'

/** What an application's folder says of itself. */
export interface Project {
  readonly folder: string
  readonly framework: Framework
  /** Names the application in the brokers' logs and in front of its group ids. */
  readonly clientId: string
  /** `"type": "commonjs"`: Node takes a `.ts` there for CommonJS, so modules are called `.mts`. */
  readonly isCommonJs: boolean
  /** How a relative import of a TypeScript file ends; undefined where that cannot be told. */
  readonly importEnding: ((extension: string) => string) | undefined
  /** Whether `millrace` is among its dependencies. */
  readonly dependsOnMillrace: boolean
}

/** By the package that tells them. Nest stands on Express or Fastify, so it is looked for before these. */
const packages: readonly (readonly [name: string, framework: Framework])[] = [
  ['next', 'next'],
  ['@nestjs/core', 'nest'],
  ['fastify', 'fastify'],
  ['express', 'express'],
  ['hono', 'hono'],
]

export async function readProject(folder: string): Promise<Project> {
  const manifest = parsed(await readIfThere(join(folder, 'package.json'))) ?? {}
  const dependencies = {
    ...sectionOf(manifest, 'dependencies'),
    ...sectionOf(manifest, 'devDependencies'),
  }
  const name = typeof manifest['name'] === 'string' ? manifest['name'] : basename(folder)
  return {
    folder,
    framework: frameworkOf(dependencies),
    clientId: clientIdOf(name),
    isCommonJs: manifest['type'] === 'commonjs',
    importEnding: importEndingOf(await readIfThere(join(folder, 'tsconfig.json'))),
    dependsOnMillrace: 'millrace' in dependencies,
  }
}

export function frameworkOf(dependencies: Readonly<Record<string, unknown>>): Framework {
  return packages.find(([name]) => name in dependencies)?.[1] ?? 'plain'
}

/** `@acme/shop web` is `shop-web`: what Kafka's metrics and group ids take. */
export function clientIdOf(name: string): string {
  const plain = name
    .replace(/^@[^/]*\//, '')
    .replaceAll(/[^A-Za-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return plain === '' ? 'app' : plain.toLowerCase()
}

/** Without a tsconfig.json Node strips the types, and imports end as the file does. */
export function importEndingOf(text: string | undefined): Project['importEnding'] {
  if (text === undefined) return (extension) => extension
  const config = parsed(withoutComments(text))
  const options = config && sectionOf(config, 'compilerOptions')
  if (options === undefined) return undefined
  const isTrue = (key: string): boolean => options[key] === true
  if (isTrue('allowImportingTsExtensions') || isTrue('rewriteRelativeImportExtensions'))
    return (extension) => extension
  const named = options['moduleResolution'] ?? options['module']
  const resolution = typeof named === 'string' ? named.toLowerCase() : ''
  if (resolution === 'bundler') return () => ''
  if (resolution.startsWith('node') && resolution !== 'node' && resolution !== 'node10')
    return (extension) => extension.replace('ts', 'js')
  return undefined
}

function sectionOf(
  object: Readonly<Record<string, unknown>>,
  key: string,
): Record<string, unknown> {
  const section = object[key]
  return typeof section === 'object' && section !== null ? (section as Record<string, unknown>) : {}
}

function parsed(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
}

/** A tsconfig.json may hold comments and commas too many; text in quotes stays. */
function withoutComments(text: string): string {
  return text
    .replaceAll(
      /("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
      (_, quoted?: string) => quoted ?? '',
    )
    .replaceAll(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, (_, quoted?: string) => quoted ?? '')
}

function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}
