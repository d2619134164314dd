// A cursor that reads every chart at one time.
const charts = [...document.querySelectorAll('svg.timed')].map(svg => ({ svg, cursor: svg.querySelector('.cursor'),
  data: JSON.parse(svg.nextElementSibling.textContent), out: svg.parentElement.querySelector('.readout') }));
for (const own of charts) {
  own.svg.addEventListener('pointermove', e => {
    const box = own.svg.getBoundingClientRect();
    const x = (e.clientX - box.left) * own.svg.viewBox.baseVal.width / box.width;
    const { left, right } = own.data;
    if (x < left || x > right) return;
    for (const c of charts) {
      const at = Math.round((x - left) / (right - left) * (c.data.times.length - 1));
      c.cursor.setAttribute('x1', x); c.cursor.setAttribute('x2', x);
      c.out.textContent = c.data.times[at] + '   ' + c.data.series.map(s => s.name + ' ' + s.values[at]).join(' · ')
        + ' (' + c.data.unit + ')';
    }
  });
  own.svg.addEventListener('pointerleave', () => { for (const c of charts) {
    c.cursor.setAttribute('x1', -9); c.cursor.setAttribute('x2', -9); c.out.textContent = ''; } });
}
