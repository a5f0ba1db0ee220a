// pagehand: {"title": "Make an image smaller", "example": {"image": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==", "width": 1}}

/**
 * data: {image: a data URL, width, height}. The image is made to fit into width x height pixels
 * (height may be left out). It keeps its proportions and never grows.
 * Result: {image: a PNG as data URL, width, height}.
 */
(function () {
  'use strict';

  var LARGEST = 4096;
  //: Beyond a factor of two a canvas drops lines; halving first keeps them.
  var STEP = 2;

  function pixels(value, name) {
    if (typeof value !== 'number' || !(value >= 1 && value <= LARGEST)) {
      throw Pagehand.fatal(name + ' must be a number from 1 to ' + LARGEST, 'bad_data');
    }
    return value;
  }

  function isGiven(value) {
    return value !== undefined && value !== null;
  }

  function readData(data) {
    if (!data || typeof data.image !== 'string' ||
        !/^data:image\/[a-z0-9.+-]+(;[a-z0-9=.+-]+)*,/i.test(data.image.slice(0, 200))) {
      throw Pagehand.fatal('image must be a data URL of an image', 'bad_data');
    }
    return {
      image: data.image,
      width: pixels(data.width, 'width'),
      height: isGiven(data.height) ? pixels(data.height, 'height') : Infinity
    };
  }

  function draw(source, width, height) {
    var canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    canvas.getContext('2d').drawImage(source, 0, 0, width, height);
    return canvas;
  }

  function shrink(image, wanted) {
    var scale = Math.min(1, wanted.width / image.width, wanted.height / image.height);
    var width = Math.max(1, Math.round(image.width * scale));
    var height = Math.max(1, Math.round(image.height * scale));
    var source = image;
    while (source.width > width * STEP && source.height > height * STEP) {
      source = draw(source, Math.ceil(source.width / STEP), Math.ceil(source.height / STEP));
    }
    source = draw(source, width, height);
    return { image: source.toDataURL('image/png'), width: width, height: height };
  }

  function thumbnail(job, done) {
    var wanted = readData(job.data);
    var image = new Image();
    image.onload = function () {
      try {
        if (!image.width || !image.height) {
          throw new Error('it has no size of its own');
        }
        done(null, shrink(image, wanted));
      } catch (e) {
        // An SVG taints the canvas in Internet Explorer; another page could do no better.
        done(Pagehand.fatal('the image cannot be drawn: ' + e.message, 'bad_image'));
      }
    };
    image.onerror = function () {
      done(Pagehand.fatal('this browser cannot read the image', 'bad_image'));
    };
    job.onCancel(function () { image.onload = image.onerror = null; });
    image.src = wanted.image;
  }

  Pagehand.task('thumbnail', thumbnail);
}());
