// The charts of the overview and of a change of policy. Their numbers stand in the page, as JSON and as tables.
"use strict";

(() => {
  const css = getComputedStyle(document.documentElement);
  const colour = (name) => css.getPropertyValue(`--${name}`).trim();
  const charts = {};

  const option = (data, narrow) => ({
    animation: false,
    aria: {enabled: true, decal: {show: data.series.length > 1}},
    textStyle: {fontFamily: css.getPropertyValue("--bs-font-sans-serif")},
    grid: {left: 4, right: 4, top: data.series.length > 1 ? (narrow ? 62 : 40) : 18, bottom: 4, containLabel: true},
    legend: data.series.length > 1 ? {top: 0, left: 0, itemHeight: 12, itemWidth: 18, textStyle: {color: colour("ink")}} : undefined,
    tooltip: {trigger: "axis", renderMode: "richText", axisPointer: {type: "shadow"}},
    xAxis: {
      type: "category",
      data: data.days,
      axisTick: {show: false},
      axisLine: {lineStyle: {color: colour("line")}},
      axisLabel: {color: (day) => (day === data.today ? colour("ink") : colour("ink-soft")), fontWeight: 400, hideOverlap: true},
    },
    yAxis: {type: "value", minInterval: 1, axisLabel: {color: colour("ink-soft")}, splitLine: {lineStyle: {color: colour("line")}}},
    series: data.series.map(({name, key, values}, place) => ({
      name,
      type: "bar",
      stack: data.beside ? undefined : "all",
      data: values,
      barCategoryGap: "22%",
      itemStyle: {color: colour(`series-${key}`)},
      label: data.series.length > 1 ? undefined : {show: true, position: "top", color: colour("ink"), formatter: ({value}) => value || ""},
      markLine: place || data.days[0] === data.today ? undefined : {
        silent: true,
        symbol: "none",
        label: {formatter: data.todayLabel, position: "end", color: colour("ink"), distance: 2},
        lineStyle: {color: colour("ink"), type: "dashed"},
        data: [{xAxis: data.today}],
      },
    })),
  });

  const draw = () => {
    const found = JSON.parse(document.getElementById("charts")?.textContent ?? "{}");
    for (const [id, data] of Object.entries(found)) {
      const place = document.getElementById(id);
      if (charts[id]?.getDom() !== place) {
        charts[id]?.dispose();
        charts[id] = echarts.init(place, null, {renderer: "svg"});
      }
      charts[id].setOption(option(data, place.clientWidth < 500), true);
    }
  };

  const resize = () => Object.values(charts).forEach((chart) => chart.resize());
  addEventListener("resize", resize);
  addEventListener("beforeprint", resize);
  addEventListener("afterprint", resize);

  // A table that was opened stays open when the numbers are renewed.
  let opened = [];
  document.addEventListener("htmx:beforeSwap", () => {
    opened = [...document.querySelectorAll("#numbers details[open]")].map(({id}) => id);
  });
  document.addEventListener("htmx:afterSettle", () => {
    for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
    draw();
  });
  draw();

  const print = document.querySelector("[data-print]");
  if (print) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }
})();
