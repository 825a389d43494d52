// What each value of a measure pays, where the seller is now and where the next rate begins.

import { scaleLinear } from "d3-scale";
import { area, line } from "d3-shape";
import { useState } from "react";
import type { PayCurveData } from "@/api/types";
import { measure as showValue, money, rate, toPixels } from "@/money";
import { Figure, Key } from "./Figure";
import { ValueAxis, anchorAt } from "./axes";

const HEIGHT = 230;
const EDGE = { top: 26, right: 10, bottom: 40, left: 52 };

export function PayCurve({ curve, currency, measure = "credited" }: { curve: PayCurveData; currency: string | null; measure?: string }) {
  const [pointer, setPointer] = useState<number | null>(null);
  const points = curve.points.map((point) => ({ x: toPixels(point.value), y: toPixels(point.pay), point }));
  const here = { x: toPixels(curve.here.value), y: toPixels(curve.here.pay) };
  const quota = toPixels(curve.quota);
  const next = curve.next ? toPixels(curve.next.at) : null;
  const xMax = Math.max(...points.map((each) => each.x), here.x, next ?? 0);
  const xMin = Math.min(...points.map((each) => each.x), here.x);
  const yMax = Math.max(...points.map((each) => each.y), here.y, 0);
  const yMin = Math.min(...points.map((each) => each.y), 0);
  const short = (value: number) => money(String(Math.round(value)), currency, { short: true });
  const said = `At ${showValue(curve.here.value)} ${measure} the pay is ${money(curve.here.pay, currency)}, and each further one pays ${rate(curve.here.rate)}.${
    curve.next ? ` The next rate, ${rate(curve.next.rate)}, begins ${showValue(curve.next.distance)} from here.` : ""
  }`;
  return (
    <Figure
      name="Pay curve"
      summary={said}
      height={HEIGHT}
      legend={
        <>
          <Key look="bg-accent" shape="dot">
            you are here
          </Key>
          {curve.next ? (
            <Key look="bg-(--mark-3)" shape="line">
              next rate {rate(curve.next.rate)}
            </Key>
          ) : null}
          <Key look="bg-line-strong" shape="line">
            quota
          </Key>
        </>
      }
      twin={{
        head: [`Value ${measure}`, "Pay", "Rate from here"],
        rows: [
          ...curve.points.map((point) => [showValue(point.value), money(point.pay, currency), rate(point.rate)]),
          [`You are here: ${showValue(curve.here.value)}`, money(curve.here.pay, currency), rate(curve.here.rate)],
        ],
      }}
    >
      {(width) => {
        const x = scaleLinear([xMin, xMax || 1], [EDGE.left, width - EDGE.right]);
        const y = scaleLinear([yMin, yMax || 1], [HEIGHT - EDGE.bottom, EDGE.top]).nice(4);
        const path = line<(typeof points)[number]>((each) => x(each.x), (each) => y(each.y));
        const fill = area<(typeof points)[number]>((each) => x(each.x), y(Math.max(yMin, 0)), (each) => y(each.y));
        const sofar = [...points.filter((each) => each.x < here.x), { ...here, point: curve.here }];
        const hx = x(here.x);
        const hy = y(here.y);
        const over = pointer === null ? null : nearest(points, x.invert(pointer));
        return (
          <g
            onPointerMove={(event) => {
              const box = event.currentTarget.ownerSVGElement?.getBoundingClientRect();
              if (box) setPointer(event.clientX - box.left);
            }}
            onPointerLeave={() => setPointer(null)}
          >
            <rect x={EDGE.left} y={EDGE.top} width={Math.max(width - EDGE.left - EDGE.right, 0)} height={HEIGHT - EDGE.top - EDGE.bottom} fill="transparent" />
            <ValueAxis scale={y} width={width - EDGE.right} left={EDGE.left} show={short} />
            {x.ticks(Math.max(2, Math.floor(width / 130))).map((tick) => (
              <text key={tick} x={x(tick)} y={HEIGHT - 20} textAnchor={anchorAt(x(tick), width, 30)} className="fill-ink-3">
                {showValue(String(Math.round(tick * 100) / 100), true)}
              </text>
            ))}
            <text x={width - EDGE.right} y={HEIGHT - 3} textAnchor="end" className="fill-ink-3">
              {measure}
            </text>
            {quota >= xMin && quota <= xMax ? (
              <g>
                <line x1={x(quota)} x2={x(quota)} y1={EDGE.top} y2={HEIGHT - EDGE.bottom} className="stroke-line-strong" strokeWidth={1.5} />
                <text x={x(quota)} y={EDGE.top - 8} textAnchor={anchorAt(x(quota), width, 24)} className="fill-ink-3">
                  quota
                </text>
              </g>
            ) : null}
            {next !== null && next <= xMax && Math.abs(x(next) - x(quota)) > 1 ? (
              <line x1={x(next)} x2={x(next)} y1={EDGE.top} y2={HEIGHT - EDGE.bottom} className="stroke-(--mark-3)" strokeWidth={1.5} strokeDasharray="4 4" />
            ) : next !== null && next <= xMax ? (
              <line x1={x(next)} x2={x(next)} y1={EDGE.top} y2={HEIGHT - EDGE.bottom} className="stroke-(--mark-3)" strokeWidth={2} strokeDasharray="4 4" />
            ) : null}
            <path d={fill(sofar) ?? ""} className="fill-accent" opacity={0.13} />
            <path d={path(points) ?? ""} fill="none" className="stroke-(--mark-2)" strokeWidth={2} strokeLinejoin="round" />
            <path d={path(sofar) ?? ""} fill="none" className="stroke-accent" strokeWidth={3} strokeLinejoin="round" strokeLinecap="round" />
            <line x1={hx} x2={hx} y1={hy} y2={HEIGHT - EDGE.bottom} className="stroke-accent" strokeWidth={1} />
            <circle cx={hx} cy={hy} r={6} className="fill-accent stroke-surface" strokeWidth={2.5} />
            <text x={hx + (hx > width / 2 ? -10 : 10)} y={hy - 10} textAnchor={hx > width / 2 ? "end" : "start"} className="fill-ink stroke-surface font-semibold" strokeWidth={4} paintOrder="stroke">
              {money(curve.here.pay, currency, { whole: true })}
            </text>
            {over ? (
              <g pointerEvents="none">
                <circle cx={x(over.x)} cy={y(over.y)} r={4} className="fill-surface stroke-(--mark-2)" strokeWidth={2} />
                <text x={x(over.x)} y={EDGE.top + 10} textAnchor={anchorAt(x(over.x), width, 90)} className="num fill-ink stroke-surface" strokeWidth={4} paintOrder="stroke">
                  {showValue(over.point.value, true)} pays {money(over.point.pay, currency, { whole: true })}, then {rate(over.point.rate)}
                </text>
              </g>
            ) : null}
          </g>
        );
      }}
    </Figure>
  );
}

function nearest<T extends { x: number }>(points: T[], at: number): T | null {
  let best: T | null = null;
  for (const point of points) if (!best || Math.abs(point.x - at) < Math.abs(best.x - at)) best = point;
  return best;
}
