import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'

import { until } from '../../harness/until.ts'
import { root } from '../docs/read-page.ts'
import { makeReaderFolder, type ReaderFolder } from '../docs/reader-folder.ts'
import { runCli, startCli } from './run-cli.ts'

interface Case {
  readonly files: Readonly<Record<string, object | string>>
  /** What the command writes besides the base classes. */
  readonly writes: readonly string[]
  /** What it tells the user to add. */
  readonly says: RegExp
}

const bundled = { module: 'esnext', moduleResolution: 'bundler', jsx: 'preserve', strict: true }
const nodenext = { module: 'nodenext', strict: true, experimentalDecorators: true }

/** The frameworks' own types, as far as the written files use them. */
const fastifyTypes = `export interface FastifyInstance {
  addHook(name: 'onClose', run: () => Promise<void>): void
}`
const nestTypes = `export declare function Injectable(): ClassDecorator
export declare function Module(options: object): ClassDecorator
export interface OnApplicationBootstrap { onApplicationBootstrap(): unknown }
export interface OnApplicationShutdown { onApplicationShutdown(): unknown }`

const cases: Readonly<Record<string, Case>> = {
  plain: {
    files: { 'package.json': { name: 'shop', type: 'module' } },
    writes: ['millrace.config.ts'],
    says: /signals: false/,
  },
  'plain of type commonjs': {
    files: { 'package.json': { name: 'shop', type: 'commonjs' } },
    writes: ['millrace.config.mts'],
    says: /signals: false/,
  },
  next: {
    files: {
      'package.json': { name: '@acme/Web Shop', dependencies: { next: '16.0.0', react: '19.0.0' } },
      'tsconfig.json': { compilerOptions: bundled },
    },
    writes: ['millrace.config.ts', 'instrumentation.ts'],
    says: /serverExternalPackages: \['millrace'\]/,
  },
  nest: {
    files: {
      'package.json': { dependencies: { '@nestjs/core': '11.0.0', express: '5.0.0' } },
      'tsconfig.json': { compilerOptions: nodenext },
      'node_modules/@nestjs/common/index.d.ts': nestTypes,
    },
    writes: ['millrace.config.ts', 'src/millrace.module.ts'],
    says: /imports: \[MillraceModule\][^]*enableShutdownHooks/,
  },
  fastify: {
    files: {
      'package.json': { type: 'module', dependencies: { fastify: '5.0.0' } },
      'tsconfig.json': '{\n  // the usual\n  "compilerOptions": { "module": "nodenext", },\n}\n',
      'node_modules/fastify/package.json': { types: 'index.d.ts' },
      'node_modules/fastify/index.d.ts': fastifyTypes,
    },
    writes: ['millrace.config.ts', 'app/plugins/millrace.ts'],
    says: /from '\.\/app\/plugins\/millrace\.js'\n +await app\.register\(millrace\)/,
  },
  express: {
    files: {
      'package.json': { type: 'module', dependencies: { express: '5.0.0' } },
      'tsconfig.json': { extends: '@tsconfig/node24/tsconfig.json' },
    },
    // How its imports end is written elsewhere: nothing is guessed.
    writes: ['millrace.config.ts'],
    says: /startWorker\(config, \{ signals: false \}\)/,
  },
  hono: {
    files: {
      'package.json': { type: 'module', devDependencies: { hono: '4.0.0' } },
      'tsconfig.json': {
        compilerOptions: { module: 'nodenext', allowImportingTsExtensions: true },
      },
    },
    writes: ['millrace.config.ts', 'app/worker.ts'],
    says: /serve\(\{ fetch: app\.fetch, port: 3000 \}\)[^]*startConsumers/,
  },
}

describe('millrace install', { concurrency: 2 }, () => {
  for (const [name, { files, writes, says }] of Object.entries(cases)) {
    it(`writes what type-checks and starts as it is: ${name}`, async () => {
      await using folder = await applicationFolder(files)
      const { path } = folder
      const { code, stdout, stderr } = await runCli(['install'], { cwd: path })
      assert.equal(code, 0, stderr)
      assert.match(stdout, says)
      const extension = writes[0]?.endsWith('.mts') === true ? '.mts' : '.ts'
      const all = [
        ...writes,
        `app/consumers/application-consumer${extension}`,
        `app/responders/application-responder${extension}`,
      ]
      for (const file of all) assert.match(stdout, new RegExp(`^${file}: written$`, 'm'))
      assert.deepEqual((await typescriptFiles(path)).toSorted(), all.toSorted())

      const checked = await typeCheck(path, all, 'tsconfig.json' in files)
      assert.equal(checked.code, 0, checked.output)
      await using dev = startCli(['dev', '--memory', '--port', '0'], { cwd: path })
      await until(
        'it is ready',
        () => / {2}ready/.test(dev.stderr) || dev.child.exitCode !== null,
        {
          lastSeen: () => dev.stderr,
        },
      )
      dev.child.kill('SIGINT')
      const ended = await dev.ended
      assert.equal(ended.code, 0, ended.stderr)
    })
  }

  it('overwrites nothing that it was not told to', async () => {
    await using folder = await applicationFolder({ 'package.json': { name: 'shop' } })
    const options = { cwd: folder.path }
    const boot = join(folder.path, 'millrace.config.ts')
    assert.equal((await runCli(['install', '--dry-run'], options)).code, 0)
    assert.deepEqual(await typescriptFiles(folder.path), [], 'a dry run writes nothing')

    assert.equal((await runCli(['install'], options)).code, 0)
    await writeFile(boot, '// mine\n')
    const again = await runCli(['install'], options)
    assert.equal(again.code, 2, again.stdout)
    assert.match(again.stderr, /millrace\.config\.ts, .* are there already[^]*--force/)
    const dry = await runCli(['install', '--dry-run', '--json'], options)
    assert.match(dry.stdout, /"fate": "overwritten"/)
    assert.equal(await readFile(boot, 'utf8'), '// mine\n')

    assert.equal((await runCli(['install', '--force'], options)).code, 0)
    assert.match(await readFile(boot, 'utf8'), /clientId: 'shop'/)
  })

  it('leaves a file of the framework alone, and says what belongs into it', async () => {
    await using folder = await applicationFolder({
      'package.json': { dependencies: { next: '16.0.0' } },
      'tsconfig.json': { compilerOptions: bundled },
      'src/instrumentation.ts': 'export function register() {}\n',
    })
    const { code, stdout } = await runCli(['install'], { cwd: folder.path })
    assert.equal(code, 0)
    assert.match(stdout, /src\/instrumentation\.ts: kept/)
    assert.match(stdout, /import\('\.\.\/millrace\.config'\)/)
    const path = join(folder.path, 'src/instrumentation.ts')
    assert.equal(await readFile(path, 'utf8'), 'export function register() {}\n')
  })
})

describe('an application without a boot file', () => {
  it('is told how to get one by every command that needs it', async () => {
    await using folder = await applicationFolder({})
    for (const args of [['worker'], ['dev', '--memory', '--port', '0']]) {
      const { code, stderr } = await runCli(args, { cwd: folder.path })
      assert.equal(code, 1, args.join(' '))
      assert.match(
        stderr,
        /there is no configuration file .*millrace\.config\.ts[^]*millrace install/,
      )
    }
    const none = await runCli([], { cwd: folder.path })
    assert.equal(none.code, 2)
    assert.match(none.stdout, /Usage: millrace/)
  })
})

async function applicationFolder(files: Case['files']): Promise<ReaderFolder> {
  const folder = await makeReaderFolder()
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder.path, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  }
  return folder
}

async function typescriptFiles(folder: string): Promise<string[]> {
  const all = await readdir(folder, { recursive: true })
  return all.filter((path) => /\.m?ts$/.test(path) && !/^(node_modules|bin)\//.test(path))
}

/** With the application's own settings; those behind it let the library's sources stand for its package. */
async function typeCheck(
  folder: string,
  files: readonly string[],
  hasSettings: boolean,
): Promise<{ readonly code: number; readonly output: string }> {
  const config = join(folder, 'tsconfig.check.json')
  const own = JSON.parse(JSON.stringify({ compilerOptions: nodenext })) as object
  await writeFile(
    config,
    JSON.stringify({
      ...(hasSettings && !(await usesOthers(folder)) ? { extends: './tsconfig.json' } : own),
      files,
    }),
  )
  const resolvesSources =
    `--noEmit --allowImportingTsExtensions --skipLibCheck --target esnext --lib esnext --types node --typeRoots ${join(root, 'node_modules/@types')}`.split(
      ' ',
    )
  return new Promise((resolve) => {
    execFile(
      join(root, 'node_modules/.bin/tsc'),
      ['-p', config, ...resolvesSources],
      { cwd: folder },
      (error, stdout, stderr) => resolve({ code: error ? 1 : 0, output: `${stdout}${stderr}` }),
    )
  })
}

/** Settings that extend a package which is not here. */
async function usesOthers(folder: string): Promise<boolean> {
  return (await readFile(join(folder, 'tsconfig.json'), 'utf8')).includes('"extends"')
}
