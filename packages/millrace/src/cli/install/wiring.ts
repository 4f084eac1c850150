import type { NewFile } from './boot-files.ts'
import type { Framework, Project } from './read-project.ts'

/** How the consumers run inside the web process of a framework. */
export interface Wiring {
  /** A file of its own that holds it, where one can be written without knowing the application. */
  readonly file: NewFile | undefined
  /** What the user adds by hand, and where. */
  readonly steps: readonly WiringStep[]
}

export interface WiringStep {
  readonly where: string
  readonly lines: readonly string[]
}

export const frameworkTitles: Readonly<Record<Framework, string>> = {
  next: 'Next',
  nest: 'Nest',
  fastify: 'Fastify',
  express: 'Express',
  hono: 'Hono',
  plain: 'no web framework that is known here',
}

/** @param sourceFolder - `'src'` when the application keeps its sources there, else `''` */
export function wiringOf(project: Project, sourceFolder: string): Wiring {
  switch (project.framework) {
    case 'next':
      return next(project, sourceFolder)
    case 'nest':
      return nest(project)
    case 'fastify':
      return fastify(project)
    case 'express':
      return server(project, 'where the server starts to listen', [
        'const server = app.listen(3000)',
      ])
    case 'hono':
      return server(project, 'where the server starts to listen', [
        'const server = serve({ fetch: app.fetch, port: 3000 })',
      ])
    case 'plain':
      return plain
  }
}

const plain: Wiring = {
  file: undefined,
  steps: [
    {
      where: 'to run the consumers inside a process of yours, instead of `millrace worker`',
      lines: [
        "import { startWorker } from 'millrace'",
        'const worker = await startWorker(config, { signals: false })',
        "process.once('SIGTERM', () => void worker.stop())",
      ],
    },
  ],
}

/** The module that imports the boot file from `from`, a folder's depth below the root. */
function configImport({ importEnding, isCommonJs }: Project, depth: number): string | undefined {
  if (importEnding === undefined) return undefined
  const up = depth === 0 ? './' : '../'.repeat(depth)
  return `${up}millrace.config${importEnding(isCommonJs ? '.mts' : '.ts')}`
}

function next(project: Project, sourceFolder: string): Wiring {
  const config = configImport(project, sourceFolder === '' ? 0 : 1)
  const path = sourceFolder === '' ? 'instrumentation.ts' : `${sourceFolder}/instrumentation.ts`
  const body = [
    "  if (process.env['NEXT_RUNTIME'] !== 'nodejs') return",
    "  const { startWorker } = await import('millrace')",
    `  const { default: config } = await import('${config ?? './millrace.config'}')`,
    '  const worker = await startWorker(config, { signals: false })',
    "  process.once('SIGTERM', () => void worker.stop())",
  ]
  const text = `/** Next calls this once when a server starts. The consumers then share its process. */
export async function register(): Promise<void> {
${body.join('\n')}
}
`
  const own = {
    where: 'next.config.ts, so that the package is not bundled',
    lines: ["serverExternalPackages: ['millrace']"],
  }
  return config === undefined
    ? {
        file: undefined,
        steps: [{ where: `${path}, in register()`, lines: body.map((line) => line.trim()) }, own],
      }
    : { file: { path, text }, steps: [own] }
}

/** The boot file is read where it lies: compiled along, it would change the layout of Nest's `dist`. */
function nest({ isCommonJs }: Project): Wiring {
  const boot = `millrace.config${isCommonJs ? '.mts' : '.ts'}`
  const text = `import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { Injectable, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common'
import type { MillraceConfig, Worker } from 'millrace'

/** Runs the consumers of ${boot} inside this process. */
@Injectable()
export class MillraceWorker implements OnApplicationBootstrap, OnApplicationShutdown {
  private worker: Worker | undefined

  async onApplicationBootstrap(): Promise<void> {
    const { startWorker } = await import('millrace')
    const path = pathToFileURL(join(process.cwd(), '${boot}')).href
    const { default: config } = (await import(path)) as { default: MillraceConfig }
    this.worker = await startWorker(config, { signals: false })
  }

  async onApplicationShutdown(): Promise<void> {
    await this.worker?.stop()
  }
}

@Module({ providers: [MillraceWorker], exports: [MillraceWorker] })
export class MillraceModule {}
`
  return {
    file: { path: 'src/millrace.module.ts', text },
    steps: [
      {
        where: 'src/app.module.ts',
        lines: ["import { MillraceModule } from './millrace.module'", 'imports: [MillraceModule]'],
      },
      { where: 'src/main.ts, after the application is made', lines: ['app.enableShutdownHooks()'] },
      {
        where: 'tsconfig.build.json: Node reads these itself, and Nest need not compile them',
        lines: [`"exclude": [..., "${boot}", "app"]`],
      },
    ],
  }
}

function fastify(project: Project): Wiring {
  const config = configImport(project, 2)
  const extension = sourceExtension(project)
  const use = {
    where: 'where the application is put together',
    lines: [
      `import { millrace } from './app/plugins/millrace${project.importEnding?.(extension) ?? ''}'`,
      'await app.register(millrace)',
    ],
  }
  if (config === undefined)
    return {
      file: undefined,
      steps: [
        {
          where: 'where the application is put together',
          lines: [
            "import { startWorker } from 'millrace'",
            "import config from './millrace.config'",
            'const worker = await startWorker(config, { signals: false })',
            "app.addHook('onClose', async () => void (await worker.stop()))",
          ],
        },
      ],
    }
  const text = `import type { FastifyInstance } from 'fastify'
import { startWorker } from 'millrace'

import config from '${config}'

/** Runs the consumers inside this process, from the start of the application to its \`close()\`. */
export async function millrace(app: FastifyInstance): Promise<void> {
  const worker = await startWorker(config, { signals: false })
  app.addHook('onClose', async () => void (await worker.stop()))
}
`
  return { file: { path: `app/plugins/millrace${extension}`, text }, steps: [use] }
}

/** Express and Hono have no life cycle of their own: a function that starts the consumers is all. */
function server(project: Project, where: string, listen: readonly string[]): Wiring {
  const config = configImport(project, 1)
  const close = "process.once('SIGTERM', () => {\n  server.close()\n  void worker.stop()\n})".split(
    '\n',
  )
  if (config === undefined)
    return {
      file: undefined,
      steps: [
        {
          where,
          lines: [
            "import { startWorker } from 'millrace'",
            "import config from './millrace.config'",
            ...listen,
            'const worker = await startWorker(config, { signals: false })',
            ...close,
          ],
        },
      ],
    }
  const text = `import { startWorker, type Worker } from 'millrace'

import config from '${config}'

/** Runs the consumers inside this process. Stop the worker when the server closes. */
export function startConsumers(): Promise<Worker> {
  return startWorker(config, { signals: false })
}
`
  const extension = sourceExtension(project)
  const ending = project.importEnding?.(extension) ?? ''
  return {
    file: { path: `app/worker${extension}`, text },
    steps: [
      {
        where,
        lines: [
          `import { startConsumers } from './app/worker${ending}'`,
          ...listen,
          'const worker = await startConsumers()',
          ...close,
        ],
      },
    ],
  }
}

function sourceExtension({ isCommonJs }: Project): string {
  return isCommonJs ? '.mts' : '.ts'
}
