/** Writes the generated pages of `docs/reference/`. A test fails when one of them is stale. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { cliReference } from './cli-reference.ts'
import { engineReference } from './engine-reference.ts'
import { errorReference } from './error-reference.ts'
import { eventReference } from './event-reference.ts'
import { metricReference } from './metric-reference.ts'
import { optionReference } from './option-reference.ts'
import { performanceReference } from './performance-reference.ts'

const reference = join(import.meta.dirname, '../docs/reference')
await writeFile(join(reference, 'errors.md'), errorReference())
await writeFile(join(reference, 'cli.md'), cliReference())
await writeFile(join(reference, 'events.md'), eventReference())
await writeFile(join(reference, 'metrics.md'), metricReference())
await writeFile(join(reference, 'options.md'), optionReference())
await writeFile(join(reference, 'engines.md'), engineReference())
await writeFile(join(reference, 'performance.md'), performanceReference())
