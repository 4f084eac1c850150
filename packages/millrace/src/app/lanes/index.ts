export {
  laneDefaults,
  type LaneOptions,
  type LaneRules,
  type OrderBy,
  type OrderScope,
} from './options.ts'
export { LaneSchedule, type LaneJob } from './schedule.ts'
export { planLanes } from './validate.ts'
